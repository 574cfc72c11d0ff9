package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Counts the rounds that are neither committed nor given up, so that a server that stops can let them end. Thread-safe. */
final class OpenRounds {
  private int open;
  private boolean stopping;

  /** Throws EXHAUSTED once the server stops. */
  synchronized void checkServing() {
    if (stopping) {
      throw new PageliftException(ErrorCategory.EXHAUSTED, "the page-server is stopping and begins nothing new; try again when it is back");
    }
  }

  synchronized void begun() {
    checkServing();
    open++;
  }

  synchronized void ended() {
    open--;
    notifyAll();
  }

  synchronized int count() {
    return open;
  }

  /** Begins nothing new, and waits for what is open; gives the number of rounds that are open still. */
  synchronized int drain(Duration bound) {
    stopping = true;
    long deadline = System.nanoTime() + bound.toNanos();
    try {
      long millis = bound.toMillis();
      while (open > 0 && millis > 0) {
        wait(millis);
        millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return open;
  }
}
