package io.pagelift.linux.ptrace;

/**
 * Why a tracee stopped or ended, decoded from its wait status.
 *
 * @param kind the kind of stop
 * @param number the signal for GROUP_STOP, SIGNAL and KILLED; the {@code PTRACE_EVENT_} number for EVENT; the exit code for
 *     EXITED; otherwise 0
 */
public record Stop(Kind kind, int number) {
  /** PTRACE_EVENT_ numbers: ptrace(2). */
  public static final int EVENT_FORK = 1;

  public static final int EVENT_VFORK = 2;
  public static final int EVENT_CLONE = 3;
  public static final int EVENT_EXEC = 4;
  public static final int EVENT_VFORK_DONE = 5;
  public static final int EVENT_EXIT = 6;
  static final int EVENT_STOP = 128;

  private static final int SIGTRAP = 5;
  private static final int SYSCALL_MARK = 0x80;

  /** The kinds of stop and end. */
  public enum Kind {
    /** By {@link Tracee#interrupt}, or the first stop of a task that was attached on birth. */
    INTERRUPTED,
    /** The process is stopped by a signal (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU), or was at the time of seizing. */
    GROUP_STOP,
    /** Entry to or exit from a system call, after {@link Tracee#syscallResume}. */
    SYSCALL,
    /** One of the EVENT_ numbers. */
    EVENT,
    /** A signal is about to be delivered; whoever resumes decides whether it is. */
    SIGNAL,
    /** The thread ended by exit(2); it has been reaped and is no tracee any more. */
    EXITED,
    /** The thread was killed; it has been reaped and is no tracee any more. */
    KILLED
  }

  /** Whether the thread is gone. */
  public boolean ended() {
    return kind == Kind.EXITED || kind == Kind.KILLED;
  }

  /**
   * Decodes the code of a stop, the {@code si_status} of waitid(2).
   *
   * @param code signal in the low byte (with 0x80 for a system-call stop), event in the byte above
   */
  static Stop ofCode(int code) {
    int event = code >>> 8;
    int signal = code & 0xff;
    if (event == EVENT_STOP) {
      return signal == SIGTRAP ? new Stop(Kind.INTERRUPTED, 0) : new Stop(Kind.GROUP_STOP, signal);
    }
    if (event != 0) {
      return new Stop(Kind.EVENT, event);
    }
    if (signal == (SIGTRAP | SYSCALL_MARK)) {
      return new Stop(Kind.SYSCALL, 0);
    }
    return new Stop(Kind.SIGNAL, signal);
  }
}
