package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Who writes which migration. The store lets one writer in at a time; this says who that is, and lets a dumper that was killed and
 * started again wait until its former session has been cleared away.
 */
final class WriterTurns {
  /** Clearing away means at most one batch stored or one round forced to disk. */
  private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(20);

  private static final long LOOK_AGAIN_MILLIS = 100;

  /**
   * How long one whose connection seems to live is waited for. It may have been cut a moment ago: nobody sees that before what it
   * had sent is read, and that is not read while its last batches wait for the store.
   */
  private static final long DOUBT_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final Map<String, Outbound> writers = new HashMap<>();

  /** Becomes the writer; throws REFUSED when there is one whose connection lives. */
  synchronized void take(String name, Outbound session) {
    long begin = System.nanoTime();
    try {
      Outbound writer = writers.get(name);
      while (writer != null) {
        long waitedNanos = System.nanoTime() - begin;
        if (waitedNanos > (writer.alive() ? DOUBT_NANOS : WAIT_NANOS)) {
          throw new PageliftException(
              ErrorCategory.REFUSED,
              "the migration '" + name + "' is being written by another session, from " + writer.peer()
                  + "; end that one or choose another --name");
        }
        wait(LOOK_AGAIN_MILLIS);
        writer = writers.get(name);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "interrupted while waiting to write '" + name + "'", e);
    }
    writers.put(name, session);
  }

  /** Lets the next one in. */
  synchronized void giveBack(String name, Outbound session) {
    writers.remove(name, session);
    notifyAll();
  }
}
