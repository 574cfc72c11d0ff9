package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.ProcStatus;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the numbers of all processes and threads are free here. */
final class PidChecks {
  private PidChecks() {}

  static void check(TreeImage image) {
    int limit = pidMax();
    for (ProcessImage process : image.getProcessesList()) {
      check(process.getPid(), limit);
      for (ThreadImage thread : process.getThreadsList()) {
        check(thread.getTid(), limit);
      }
    }
  }

  private static void check(int number, int limit) {
    if (number >= limit) {
      throw refused(
          "The image has process id "
              + number
              + ", but this host gives ids below "
              + limit
              + " only; raise /proc/sys/kernel/pid_max.");
    }
    if (!Files.exists(Path.of("/proc/" + number))) {
      return;
    }
    try {
      ProcStatus holder = ProcStatus.read(number);
      if (holder.tgid() == Kernel.pid()) {
        throw refused("The process id " + number + " is taken by this restorer itself; run it again to get another one.");
      }
      throw refused(
          "The process id "
              + number
              + " is taken here by '"
              + holder.text("Name")
              + "' (process "
              + holder.tgid()
              + "); end that process, or restore in a PID namespace of its own.");
    } catch (KernelException e) {
      if (!e.processGone()) {
        throw e;
      }
    }
  }

  private static int pidMax() {
    return Integer.parseInt(ProcFile.value("/proc/sys/kernel/pid_max"));
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
