package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Keeps segments from being deleted under a program that reads a store without the server: it shares the lock of the file {@code
 * readers} (fcntl(2)), which whoever reclaims space needs for itself alone.
 */
public final class ReaderLock implements AutoCloseable {
  /** Longer than reclaiming space takes the store for itself, unless it moves very much. */
  private static final Duration BOUND = Duration.ofSeconds(60);

  private static final long POLL_MILLIS = 20;

  private final @Nullable FileChannel channel;

  private ReaderLock(@Nullable FileChannel channel) {
    this.channel = channel;
  }

  /** Shares the lock; waits, with a bound, while space is reclaimed. A store without the file has nobody who reclaims. */
  public static ReaderLock share(StoreLayout layout) {
    try {
      FileChannel channel = FileChannel.open(layout.readersFile(), StandardOpenOption.READ);
      if (lock(channel, true, BOUND)) {
        return new ReaderLock(channel);
      }
      channel.close();
    } catch (NoSuchFileException e) {
      return new ReaderLock(null);
    } catch (IOException e) {
      throw StoreErrors.unreadable(layout.readersFile(), e);
    }
    throw new PageliftException(
        ErrorCategory.EXHAUSTED,
        "The space of the store " + layout.directory() + " has been reclaimed for more than " + BOUND.toSeconds()
            + " s; try again when 'page-server gc' has ended.");
  }

  /** Takes the lock alone, for reclaiming; throws a refused error when somebody reads for longer than the bound. */
  public static ReaderLock exclude(StoreLayout layout, Duration bound) {
    try {
      FileChannel channel = FileChannel.open(layout.readersFile(), StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (lock(channel, false, bound)) {
        return new ReaderLock(channel);
      }
      channel.close();
    } catch (IOException e) {
      throw StoreErrors.unreadable(layout.readersFile(), e);
    }
    throw new PageliftException(
        ErrorCategory.REFUSED,
        "Another program has been reading the store " + layout.directory() + " for " + bound.toSeconds()
            + " s (a restorer, or 'page-server verify'); no space was reclaimed, run it again when that has ended.");
  }

  private static boolean lock(FileChannel channel, boolean shared, Duration bound) throws IOException {
    long deadline = System.nanoTime() + bound.toNanos();
    while (true) {
      try {
        FileLock lock = channel.tryLock(0, Long.MAX_VALUE, shared);
        if (lock != null) {
          return true;
        }
      } catch (OverlappingFileLockException e) {
        if (shared) {
          return true; // this process shares it already
        }
      }
      if (System.nanoTime() >= deadline) {
        return false;
      }
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  @Override
  public void close() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // The lock is gone with the channel in any case.
    }
  }
}
