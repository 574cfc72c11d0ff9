package io.pagelift.tests.harness;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Bounded waiting. The bounds are generous: a busy machine has been seen to stand still for 15 seconds. */
public final class Await {
  /** Long enough for anything that works. */
  public static final Duration LONG = Duration.ofSeconds(60);

  private Await() {}

  /**
   * Looks every few milliseconds until the condition holds.
   *
   * @throws IllegalStateException naming {@code what} when the bound has passed
   */
  public static void until(String what, Duration bound, BooleanSupplier condition) {
    long end = System.nanoTime() + bound.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException("Waited " + bound.toSeconds() + " s in vain: " + what + ".");
      }
      pauseMillis(3);
    }
  }

  /** Sleeps; an interrupt ends the test. */
  public static void pauseMillis(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting.", e);
    }
  }
}
