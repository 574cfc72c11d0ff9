package io.pagelift.restorer.process;

import io.pagelift.image.ProcessControls;
import io.pagelift.linux.ProcFile;

/** What is set through files under {@code /proc/PID}, if it is not so already. */
final class ProcFiles {
  private ProcFiles() {}

  static void write(int pid, ProcessControls controls) {
    set("/proc/" + pid + "/oom_score_adj", controls.getOomScoreAdj(), 10);
    set("/proc/" + pid + "/coredump_filter", controls.getCoredumpFilter(), 16);
  }

  private static void set(String path, int value, int radix) {
    if (Long.parseLong(ProcFile.value(path), radix) != value) {
      ProcFile.write(path, radix == 16 ? "0x" + Integer.toHexString(value) : Integer.toString(value));
    }
  }
}
