package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreErrors;
import io.pagelift.store.StoreLayout;
import io.pagelift.wire.proto.Durability;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every force of a store goes through here, until the first one fails.
 *
 * <p>fsync(2) that fails tells nothing about what reached the disk, and Linux marks the pages clean all the same: the next
 * fsync succeeds although the data is lost. So nothing that is written after a failed force can be promised to anybody. From
 * then on the store takes no more rounds and says why; what was committed before can still be read.
 */
final class StableStorage {
  private static final Logger LOG = LoggerFactory.getLogger(StableStorage.class);

  private record Failure(Path file, String reason, Instant when) {}

  private final StoreLayout layout;
  private final Durability durability;
  private final StoreStep.Watch watch;
  private final AtomicReference<@Nullable Failure> failure = new AtomicReference<>();

  StableStorage(StoreLayout layout, Durability durability, StoreStep.Watch watch) {
    this.layout = layout;
    this.durability = durability;
    this.watch = watch;
  }

  /** What a commit promises. */
  Durability durability() {
    return durability;
  }

  /** Tells the watch. */
  void reached(StoreStep step) {
    watch.reached(step);
  }

  /**
   * Puts a file's bytes on stable storage; does nothing when nothing is to be promised.
   *
   * @param withTimes false for fdatasync(2): length and bytes, but not the times
   */
  void force(FileChannel channel, Path file, boolean withTimes) throws IOException {
    if (durability != Durability.NONE) {
      forceAlways(channel, file, withTimes);
    }
  }

  /** The same for what no level of durability may leave out: who may run a tree. */
  void forceAlways(FileChannel channel, Path file, boolean withTimes) throws IOException {
    try {
      channel.force(withTimes);
    } catch (IOException e) {
      throw failed(file, e);
    }
  }

  /** Makes the names in a directory durable (fsync of the directory, see fsync(2)). */
  void forceDirectory(Path directory) throws IOException {
    if (durability != Durability.NONE) {
      forceDirectoryAlways(directory);
    }
  }

  /** The same for what no level of durability may leave out. */
  void forceDirectoryAlways(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      throw failed(directory, e);
    }
  }

  private IOException failed(Path file, IOException cause) {
    Failure first = new Failure(file, StoreErrors.reason(cause), Instant.now().truncatedTo(ChronoUnit.SECONDS));
    if (failure.compareAndSet(null, first)) {
      LOG.error("{}", sentence(first));
    }
    return cause;
  }

  /** Whether a force has failed. */
  boolean lost() {
    return failure.get() != null;
  }

  /** Throws an exhausted error when the store must not take any more. */
  void checkTrusted() {
    Failure first = failure.get();
    if (first != null) {
      throw new PageliftException(ErrorCategory.EXHAUSTED, sentence(first));
    }
  }

  private String sentence(Failure first) {
    return "The store " + layout.directory() + " takes no more rounds: at " + first.when + " its disk could not be made to keep "
        + first.file + " (" + first.reason + "), so nobody knows what it has kept since; what was committed before can be"
        + " restored. Look for the disk's errors in the kernel's log, mend or replace it, then start the page-server again.";
  }
}
