package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Who has which migration open: any number of readers and one writer, or the one who rewrites its manifests. Who comes while a
 * migration is rewritten waits, with a bound; who wants to rewrite one that is open does not wait but leaves it alone.
 */
final class MigrationUses {
  /** Longer than rewriting the manifests of one migration and copying what they refer to may take. */
  private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Map<String, Integer> uses = new HashMap<>();
  private final Set<String> claimed = new HashSet<>();
  private final Set<String> written = new HashSet<>();

  /** A reader comes. */
  synchronized void enter(String name) {
    awaitUnclaimed(name);
    uses.merge(name, 1, Integer::sum);
  }

  /** The writer comes; a second one is refused. */
  synchronized void enterToWrite(String name) {
    awaitUnclaimed(name);
    if (!written.add(name)) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The migration '" + name + "' is being written by another dumper; wait for it, or use another --name.");
    }
    uses.merge(name, 1, Integer::sum);
  }

  /** A reader goes. */
  synchronized void leave(String name) {
    uses.computeIfPresent(name, (key, count) -> count == 1 ? null : count - 1);
  }

  /** The writer goes. */
  synchronized void leaveWriting(String name) {
    written.remove(name);
    leave(name);
  }

  /** Takes a migration for rewriting; false when somebody has it open. */
  synchronized boolean claim(String name) {
    return !uses.containsKey(name) && claimed.add(name);
  }

  /** Lets others open it again. */
  synchronized void release(String name) {
    claimed.remove(name);
    notifyAll();
  }

  private void awaitUnclaimed(String name) {
    long deadline = System.nanoTime() + WAIT_NANOS;
    try {
      while (claimed.contains(name)) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new PageliftException(
              ErrorCategory.EXHAUSTED,
              "The migration '" + name + "' has been rewritten by 'page-server gc' for more than 60 s; try again when that is done.");
        }
        wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "interrupted while waiting for migration '" + name + "'", e);
    }
  }
}
