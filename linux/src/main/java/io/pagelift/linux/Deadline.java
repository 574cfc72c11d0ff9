package io.pagelift.linux;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The moment at which a wait ends.
 *
 * @param nanos a value of {@link System#nanoTime()}
 */
public record Deadline(long nanos) {
  private static final long SPIN_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
  private static final long SHORTEST_SLEEP_NANOS = TimeUnit.MICROSECONDS.toNanos(50);
  private static final long LONGEST_SLEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** A deadline this far from now. */
  public static Deadline in(Duration duration) {
    return new Deadline(System.nanoTime() + duration.toNanos());
  }

  /** A deadline this many milliseconds from now. */
  public static Deadline inMillis(long millis) {
    return new Deadline(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis));
  }

  /** Whether it has passed. */
  public boolean passed() {
    return System.nanoTime() - nanos >= 0;
  }

  /** Nanoseconds left, 0 if it has passed. */
  public long remainingNanos() {
    return Math.max(0, nanos - System.nanoTime());
  }

  /** Milliseconds left, rounded up, 0 if it has passed; fit for {@code poll(2)}. */
  public int remainingMillis() {
    return (int) Math.min(Integer.MAX_VALUE, (remainingNanos() + 999_999) / 1_000_000);
  }

  /**
   * Polls until the condition holds: spins for the first 100 microseconds, because most answers of the kernel come by then, and
   * then sleeps for 50 microseconds, growing to 1 millisecond.
   *
   * @return whether the condition held before the deadline passed; it is tested at least once
   */
  public boolean await(BooleanSupplier condition) {
    long start = System.nanoTime();
    long sleepNanos = SHORTEST_SLEEP_NANOS;
    while (true) {
      if (condition.getAsBoolean()) {
        return true;
      }
      if (passed()) {
        return false;
      }
      if (System.nanoTime() - start < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(sleepNanos);
        sleepNanos = Math.min(LONGEST_SLEEP_NANOS, sleepNanos * 2);
      }
    }
  }
}
