package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ProcStatus;

/** Finds out, before anything is touched, whether a pid names a process that can be dumped at all. */
public final class TargetCheck {
  /** PF_KTHREAD, include/linux/sched.h: the task has no user side. */
  private static final long KERNEL_THREAD_FLAG = 0x200000;

  private TargetCheck() {}

  /**
   * Checks the root of a tree.
   *
   * @return its start time in ticks
   * @throws PageliftException REFUSED, with the reason and what to do
   */
  public static long check(int pid) {
    try {
      ProcStat stat = ProcStat.read(pid);
      checkKind(pid, stat);
      checkNotOurselves(pid);
      // The right to read another process's memory is the right to ptrace it: ptrace(2), "access mode checking".
      FileDescriptor.open("/proc/" + pid + "/mem", Constants.O_RDONLY).close();
      return stat.startTimeTicks();
    } catch (KernelException failure) {
      if (failure.processGone()) {
        throw refused("There is no process " + pid + "; look its pid up again.");
      }
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "Process " + pid + " may not be looked into (" + failure.getMessage()
              + "); run this as its user or as root, with CAP_SYS_PTRACE.",
          failure);
    }
  }

  private static void checkKind(int pid, ProcStat stat) {
    if ((stat.flags() & KERNEL_THREAD_FLAG) != 0) {
      throw refused("Process " + pid + " (" + stat.command() + ") is a thread of the kernel; it cannot be migrated.");
    }
    if (stat.state() == 'Z' || stat.state() == 'X') {
      throw refused("Process " + pid + " has exited and only waits for its parent to collect it; there is nothing to dump.");
    }
    int leader = ProcStatus.read(pid).tgid();
    if (leader != pid) {
      throw refused("" + pid + " is a thread of process " + leader + "; give the process: -t " + leader + ".");
    }
  }

  private static void checkNotOurselves(int pid) {
    int self = Kernel.pid();
    for (int ancestor = self; ancestor > 0; ancestor = ProcStat.read(ancestor).parentPid()) {
      if (ancestor == pid) {
        String who = pid == self ? "is this program itself" : "is an ancestor of this program, which would freeze itself";
        throw refused("Process " + pid + " " + who + "; run the dumper from outside the tree.");
      }
    }
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
