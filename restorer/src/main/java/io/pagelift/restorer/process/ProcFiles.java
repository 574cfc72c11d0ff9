package io.pagelift.restorer.process;

import io.pagelift.image.ProcessControls;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What is set through files under {@code /proc/PID}, if it is not so already. */
final class ProcFiles {
  private static final int MAX_BYTES = 64;

  private ProcFiles() {}

  static void write(int pid, ProcessControls controls) {
    set("/proc/" + pid + "/oom_score_adj", controls.getOomScoreAdj(), 10);
    set("/proc/" + pid + "/coredump_filter", controls.getCoredumpFilter(), 16);
  }

  private static void set(String path, int value, int radix) {
    try (FileDescriptor file = FileDescriptor.open(path, Constants.O_RDWR)) {
      ByteBuffer text = ByteBuffer.allocateDirect(MAX_BYTES);
      file.read(text);
      String now = StandardCharsets.US_ASCII.decode(text.flip()).toString().trim();
      if (Long.parseLong(now, radix) != value) {
        String wanted = radix == 16 ? "0x" + Integer.toHexString(value) : Integer.toString(value);
        file.writeFully(wanted.getBytes(StandardCharsets.US_ASCII));
      }
    }
  }
}
