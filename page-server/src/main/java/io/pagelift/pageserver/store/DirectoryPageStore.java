package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.ReaderLock;
import io.pagelift.store.StoreFile;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.store.proto.HandoverRecord;
import io.pagelift.store.proto.HandoverRecord.State;
import io.pagelift.wire.proto.MigrationInfo;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The page store in a directory: puts lock, recovery, segments and migrations together. */
final class DirectoryPageStore implements PageStore {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryPageStore.class);

  /** How long reclaiming waits for programs that read the store without the server. */
  private static final Duration READERS_BOUND = Duration.ofSeconds(10);

  private final StoreLayout layout;
  private final StoreOptions options;
  private final PageHash pageHash;
  private final StoreLock lock;
  private final StoreReader reader;
  private final StableStorage storage;
  private final SegmentLog segments;
  private final MigrationUses uses = new MigrationUses();
  private final ReentrantLock reclaiming = new ReentrantLock();

  private DirectoryPageStore(
      StoreLayout layout,
      StoreOptions options,
      PageHash pageHash,
      StoreLock lock,
      StoreReader reader,
      StableStorage storage,
      SegmentLog segments) {
    this.layout = layout;
    this.options = options;
    this.pageHash = pageHash;
    this.lock = lock;
    this.reader = reader;
    this.storage = storage;
    this.segments = segments;
  }

  /** Opens a store; the hash function is a parameter so that a test can forge collisions. */
  static DirectoryPageStore open(Path directory, StoreOptions options, PageHash pageHash) {
    return open(directory, options, pageHash, StoreStep.Watch.NONE);
  }

  /** The same, watched at every step of a commit. */
  static DirectoryPageStore open(Path directory, StoreOptions options, PageHash pageHash, StoreStep.Watch watch) {
    StoreLayout layout = new StoreLayout(directory);
    StableStorage storage = new StableStorage(layout, options.durability(), watch);
    try {
      boolean fresh = prepareDirectory(layout);
      StoreLock lock = StoreLock.take(layout);
      try {
        if (fresh) {
          format(layout, storage);
        }
        return recover(layout, options, pageHash, lock, storage);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw WriteErrors.cannotOpen(layout, e);
    }
  }

  private static DirectoryPageStore recover(
      StoreLayout layout, StoreOptions options, PageHash pageHash, StoreLock lock, StableStorage storage) throws IOException {
    PrivateFiles.createIfAbsent(layout.readersFile());
    StoreReader reader = StoreReader.openOwn(layout.directory());
    DedupTable table = new DedupTable(options.dedupMaxSlots());
    Origins origins = new Origins();
    Recovery recovery = Recovery.run(reader, storage, table, origins);
    recovery.findings().forEach(LOG::warn);
    SegmentLog segments =
        new SegmentLog(
            layout, storage, options, table, origins, recovery.segments(), recovery.activeSegment(), recovery.nextSegment());
    return new DirectoryPageStore(layout, options, pageHash, lock, reader, storage, segments);
  }

  /** Makes the directory when needed. Returns whether it is to become a store; refuses one with other contents. */
  private static boolean prepareDirectory(StoreLayout layout) throws IOException {
    Path directory = layout.directory();
    PrivateFiles.makeDirectory(directory);
    if (Files.exists(layout.storeFile())) {
      StoreFile.check(layout);
      return false;
    }
    Set<Path> own = Set.of(layout.lockFile(), layout.readersFile(), StoreLayout.partOf(layout.storeFile()), layout.segmentsDirectory(),
        layout.migrationsDirectory());
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        if (!own.contains(entry)) {
          throw new PageliftException(
              ErrorCategory.REFUSED,
              "The directory " + directory + " is no page store and is not empty; give a new or an empty directory by --store.");
        }
      }
    }
    return true;
  }

  private static void format(StoreLayout layout, StableStorage storage) throws IOException {
    PrivateFiles.makeDirectory(layout.segmentsDirectory());
    PrivateFiles.makeDirectory(layout.migrationsDirectory());
    Path part = StoreLayout.partOf(layout.storeFile());
    try (FileChannel channel = PrivateFiles.create(part)) {
      PrivateFiles.writeFully(channel, StoreFile.bytes(), 0);
      storage.force(channel, part, true);
    }
    PrivateFiles.rename(part, layout.storeFile());
  }

  @Override
  public MigrationLog openMigration(String name, boolean create) {
    Path directory = layout.migrationDirectory(name);
    storage.checkTrusted();
    uses.enterToWrite(name);
    boolean open = false;
    try {
      if (create) {
        makeMigration(directory);
      }
      MigrationLog migration = new WritableMigration(this, reader.migration(name));
      open = true;
      return migration;
    } finally {
      if (!open) {
        uses.leaveWriting(name);
      }
    }
  }

  private void makeMigration(Path directory) {
    try {
      if (PrivateFiles.makeDirectory(directory)) {
        storage.forceDirectory(layout.migrationsDirectory());
      }
    } catch (IOException e) {
      throw writeFailed(e);
    }
  }

  /** What a failed write means: a full disk leaves a round less, a failed force ends all writing. */
  PageliftException writeFailed(IOException cause) {
    storage.checkTrusted();
    return WriteErrors.roundLost(layout, cause);
  }

  @Override
  public MigrationReader readMigration(String name) {
    StoreLayout.checkedName(name);
    uses.enter(name);
    boolean open = false;
    try {
      MigrationReader migration =
          new CommittedMigration(reader, reader.migration(name), options.maxViewRuns(), () -> uses.leave(name));
      open = true;
      return migration;
    } finally {
      if (!open) {
        uses.leave(name);
      }
    }
  }

  @Override
  public void remove(String name, boolean force) {
    Path directory = layout.migrationDirectory(name);
    if (!uses.claim(name)) {
      throw new PageliftException(
          ErrorCategory.REFUSED, "The migration '" + name + "' is being read or written; wait for that, or end it, then remove it.");
    }
    try {
      storage.checkTrusted();
      if (!Files.isDirectory(directory)) {
        reader.migration(name); // says that there is none
      }
      if (!force) {
        checkHandedOver(name);
      }
      Path removed = layout.removedDirectory(name);
      RemovedMigrations.delete(removed);
      PrivateFiles.rename(directory, removed);
      storage.forceDirectory(layout.migrationsDirectory());
      RemovedMigrations.delete(removed);
    } catch (IOException e) {
      throw writeFailed(e);
    } finally {
      uses.release(name);
    }
  }

  /** The decision of a handover that is not over must stay: a frozen tree waits for it. */
  private void checkHandedOver(String name) {
    StoredMigration migration = reader.migration(name);
    State last =
        migration.lastRound() == 0
            ? State.PREPARED
            : handovers().last(name, migration.lastRound()).map(HandoverRecord::getState).orElse(State.PREPARED);
    if (last == State.ARMED || last == State.COMMITTED) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The handover of migration '" + name + "' is not over (" + last + "): a tree may be frozen at the source until it hears the"
              + " decision. Look where the tree runs; when it runs on one side and the other side is gone, use 'rm --force'.");
    }
  }

  @Override
  public Reclaimed reclaim() {
    reclaiming.lock();
    try (ReaderLock alone = ReaderLock.exclude(layout, READERS_BOUND)) {
      LOG.debug("No other program reads {}: {}", layout.directory(), alone);
      return GarbageCollection.run(this);
    } finally {
      reclaiming.unlock();
    }
  }

  MigrationUses uses() {
    return uses;
  }

  @Override
  public List<MigrationInfo> list() {
    List<MigrationInfo> infos = new ArrayList<>();
    for (String name : reader.migrationNames()) {
      try {
        infos.add(StoreListing.info(reader.migration(name)));
      } catch (PageliftException e) {
        LOG.warn("Migration {} is not listed: {}", name, e.getMessage());
      }
    }
    return infos;
  }

  @Override
  public HandoverFiles handovers() {
    return new HandoverFiles(layout, storage);
  }

  StoreLayout layout() {
    return layout;
  }

  StoreOptions options() {
    return options;
  }

  PageHash pageHash() {
    return pageHash;
  }

  StoreReader reader() {
    return reader;
  }

  StableStorage storage() {
    return storage;
  }

  SegmentLog segments() {
    return segments;
  }

  /** A writer is done with its migration. */
  void released(String name) {
    uses.leaveWriting(name);
  }

  @Override
  public void close() {
    reader.close();
    try (lock;
        segments) {
      LOG.debug("The store {} is closed.", layout.directory());
    } catch (IOException e) {
      LOG.warn("The store {} was not closed properly: {}", layout.directory(), e.getMessage());
    }
  }
}
