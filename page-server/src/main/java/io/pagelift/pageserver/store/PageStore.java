package io.pagelift.pageserver.store;

import io.pagelift.wire.proto.MigrationInfo;
import java.nio.file.Path;
import java.util.List;

/**
 * Pages of many migrations in one directory, deduplicated.
 *
 * <p>Thread-safe. Failures are {@link io.pagelift.common.PageliftException}: CORRUPT for damaged data, EXHAUSTED for a full disk,
 * REFUSED for a directory that another server holds or that cannot be written, USAGE for an unknown migration or a bad name.
 */
public interface PageStore extends AutoCloseable {
  /** Opens the store in a directory, which is made (0700) when it does not exist; recovers after a crash. */
  static PageStore open(Path directory) {
    return open(directory, StoreOptions.defaults());
  }

  /** The same with bounds and promises of one's own. */
  static PageStore open(Path directory, StoreOptions options) {
    return DirectoryPageStore.open(directory, options, PageHash.crc());
  }

  /**
   * Opens a migration for writing. One writer at a time: a second one gets REFUSED until the first is closed.
   *
   * @param name matches {@code [A-Za-z0-9][A-Za-z0-9._-]{0,127}}
   * @param create make it when it does not exist; otherwise that is a USAGE error
   */
  MigrationLog openMigration(String name, boolean create);

  /** Opens a migration for reading, as its last committed round left it. Any number of readers, beside a writer too. */
  MigrationReader readMigration(String name);

  /** All migrations, ascending by name. */
  List<MigrationInfo> list();

  /** What is decided about images. */
  HandoverFiles handovers();

  /**
   * Removes a migration: its rounds are gone at once and for good, the space of its pages comes back with {@link #reclaim}. REFUSED
   * while anybody has it open or its handover is not over, USAGE when there is none of this name.
   *
   * @param force also when its handover is not over, or when its manifests cannot be read
   */
  void remove(String name, boolean force);

  /** Gives the space of pages that nobody can ask for any more back to the file system, while the store serves. */
  Reclaimed reclaim();

  /** Closes all files. Rounds that are not committed are gone. */
  @Override
  void close();
}
