package io.pagelift.linux;

/**
 * A time as the kernel keeps it.
 *
 * @param seconds whole seconds
 * @param nanos 0 to 999,999,999
 */
public record TimeSpec(long seconds, int nanos) {
  /** The time in nanoseconds; fits for about 292 years around zero. */
  public long toNanos() {
    return Math.addExact(Math.multiplyExact(seconds, 1_000_000_000L), nanos);
  }
}
