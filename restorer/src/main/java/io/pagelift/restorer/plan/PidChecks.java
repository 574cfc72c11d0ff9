package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.ProcStatus;
import io.pagelift.restorer.file.FileRebuilders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether the numbers of all processes and threads are free here. A process that has ended keeps its number until its parent has
 * collected it, which on the source's own host may be a moment after the dump: for that the check waits, with a bound.
 */
public final class PidChecks {
  private static final Duration COLLECT_BOUND = Duration.ofSeconds(5);

  private PidChecks() {}

  static void check(TreeImage image) {
    int limit = Integer.parseInt(ProcFile.value("/proc/sys/kernel/pid_max"));
    List<Integer> taken = new ArrayList<>();
    for (ProcessImage process : image.getProcessesList()) {
      collect(process.getPid(), limit, taken);
      for (ThreadImage thread : process.getThreadsList()) {
        collect(thread.getTid(), limit, taken);
      }
    }
    endedPids(image).forEach(number -> collect(number, limit, taken));
    Deadline.in(COLLECT_BOUND)
        .await(
            () -> {
              taken.removeIf(number -> !taken(number));
              return taken.stream().anyMatch(PidChecks::alive) || taken.isEmpty();
            });
    taken.forEach(PidChecks::refuse);
  }

  /** Numbers of processes that have ended, but that open files are about: they are needed for a moment. */
  public static Set<Integer> endedPids(TreeImage image) {
    FileRebuilders rebuilders = new FileRebuilders();
    Set<Integer> pids = new TreeSet<>();
    image.getOpenFilesList().forEach(file -> pids.add(rebuilders.of(file).endedPid(file)));
    pids.remove(0);
    return pids;
  }

  private static void collect(int number, int limit, List<Integer> taken) {
    if (number >= limit) {
      throw refused(
          "The image has process id "
              + number
              + ", but this host gives ids below "
              + limit
              + " only; raise /proc/sys/kernel/pid_max.");
    }
    if (!taken.contains(number) && taken(number)) {
      taken.add(number);
    }
  }

  private static boolean taken(int number) {
    return Files.exists(Path.of("/proc/" + number));
  }

  private static boolean alive(int number) {
    try {
      char state = ProcStatus.read(number).state();
      return state != 'Z' && state != 'X';
    } catch (KernelException e) {
      return false;
    }
  }

  private static void refuse(int number) {
    try {
      ProcStatus holder = ProcStatus.read(number);
      String name = holder.text("Name");
      if (holder.tgid() == Kernel.pid()) {
        throw refused("The process id " + number + " is taken by this restorer itself; run it again to get another one.");
      }
      if (!alive(number)) {
        throw refused(
            "The process id "
                + number
                + " is still taken by '"
                + name
                + "', which has ended but was not collected by its parent, process "
                + holder.number("PPid")
                + "; end that, or let it wait for its child.");
      }
      throw refused(
          "The process id "
              + number
              + " is taken here by '"
              + name
              + "' (process "
              + holder.tgid()
              + "); end that process, or restore in a PID namespace of its own.");
    } catch (KernelException e) {
      if (!e.processGone()) {
        throw e;
      }
    }
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
