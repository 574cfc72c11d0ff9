package io.pagelift.linux;

/** {@code clock_gettime(2)}. */
public final class Clock {
  private Clock() {}

  /** A clock's time in nanoseconds; {@code CLOCK_*} or a clock from {@link #cpuOfProcess}. */
  public static long nanos(int clockId) {
    Scratch scratch = Scratch.ofThread();
    Kernel.check(
        Kernel.call(SyscallNumbers.CLOCK_GETTIME, clockId, scratch.structAddress()), "clock_gettime", "clock " + clockId);
    return new TimeSpec(scratch.struct().getLong(0), (int) scratch.struct().getLong(8)).toNanos();
  }

  /** The id of the clock of CPU time that a process has used, as clock_getcpuclockid(3) makes it. */
  public static int cpuOfProcess(int pid) {
    return ~pid << 3 | 2;
  }
}
