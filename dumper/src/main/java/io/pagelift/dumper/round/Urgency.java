package io.pagelift.dumper.round;

import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;

/** Puts the calling thread before others on a busy machine: while a tree stands still, every time slice that we wait is its own. */
final class Urgency {
  private static final int PRIO_PROCESS = 0;
  private static final int HIGHEST = -20;

  private Urgency() {}

  /** Takes the best nice value that is allowed; without the right to it nothing changes, see setpriority(2). */
  static void raise() {
    Kernel.call(SyscallNumbers.SETPRIORITY, PRIO_PROCESS, 0, HIGHEST);
  }
}
