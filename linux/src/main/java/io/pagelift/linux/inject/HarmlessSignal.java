package io.pagelift.linux.inject;

import io.pagelift.linux.ProcStatus;

/** A signal that a process does not notice. */
final class HarmlessSignal {
  private static final int SIGURG = 23;
  private static final int SIGWINCH = 28;

  private HarmlessSignal() {}

  /**
   * A signal whose default action is to do nothing, for which the process has no handler and that the thread does not block (a
   * blocked one may be waited for with sigwait(3) or read from a signalfd).
   *
   * @param mask the thread's signal mask
   * @param status of the thread
   * @return 0 if there is none, or if the thread has seccomp filters, which might refuse to send it if the tracer is dead
   */
  static int of(ProcStatus status, long mask) {
    long unfit = status.mask("SigCgt") | mask;
    if (status.seccompMode() != 0) {
      return 0;
    }
    if ((unfit & (1L << (SIGURG - 1))) == 0) {
      return SIGURG;
    }
    return (unfit & (1L << (SIGWINCH - 1))) == 0 ? SIGWINCH : 0;
  }
}
