package io.pagelift.linux.ptrace;

/** The {@code PTRACE_O_} options of ptrace(2) that {@link Tracee#seize} takes, and two sets of them. */
public final class PtraceOptions {
  public static final long TRACESYSGOOD = 1;
  public static final long TRACEFORK = 1 << 1;
  public static final long TRACEVFORK = 1 << 2;
  public static final long TRACECLONE = 1 << 3;
  public static final long TRACEEXEC = 1 << 4;
  public static final long TRACEVFORKDONE = 1 << 5;
  public static final long TRACEEXIT = 1 << 6;
  /** The tracee is killed when its tracer dies. Never for a process that is not ours. */
  public static final long EXITKILL = 1 << 20;
  /** The tracee's seccomp filters do not apply while it is traced; wants CAP_SYS_ADMIN. */
  public static final long SUSPEND_SECCOMP = 1 << 21;

  /**
   * For a process that must survive us. TRACESYSGOOD is not a convenience here: a tracee that loses its tracer in a
   * system-call stop is sent the stop's signal, and a plain SIGTRAP would kill it, while SIGTRAP|0x80 is no signal at all.
   */
  public static final long LIVING = TRACESYSGOOD;

  /** For a process that we made and that must not outlive us half-built; its children and threads are attached on birth. */
  public static final long OWNED = TRACESYSGOOD | EXITKILL | TRACEFORK | TRACEVFORK | TRACECLONE;

  private PtraceOptions() {}
}
