package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoredMigration;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A migration in the hands of its one writer. */
final class WritableMigration implements MigrationLog {
  private final DirectoryPageStore store;
  private StoredMigration stored;
  private @Nullable StoringRound inProgress;
  private boolean closed;

  WritableMigration(DirectoryPageStore store, StoredMigration stored) {
    this.store = store;
    this.stored = stored;
  }

  @Override
  public String name() {
    return stored.name();
  }

  @Override
  public int lastRound() {
    return stored.lastRound();
  }

  @Override
  public String trackingToken() {
    return stored.trackingToken();
  }

  @Override
  public boolean complete() {
    return stored.complete();
  }

  @Override
  public long nextObjectId() {
    return stored.nextObjectId();
  }

  @Override
  public List<ObjectInfo> objects() {
    return stored.objects();
  }

  @Override
  public PageRuns held(long objectId) {
    return HeldPages.of(stored.places(objectId, store.options().maxViewRuns()));
  }

  @Override
  public RoundInProgress beginRound(int round, String tracker, String trackingToken, long startedUnixNanos) {
    if (closed) {
      throw new IllegalStateException("migration " + name() + " is closed");
    }
    if (inProgress != null) {
      throw new PageliftException(
          ErrorCategory.USAGE, "Round " + (lastRound() + 1) + " of migration '" + name() + "' is still in progress.");
    }
    if (round != lastRound() + 1) {
      throw new PageliftException(
          ErrorCategory.USAGE,
          "Round " + round + " of migration '" + name() + "' cannot begin: the next one is " + (lastRound() + 1) + ".");
    }
    store.storage().checkTrusted();
    try {
      StoringRound begun = new StoringRound(store, this, round, tracker, trackingToken, startedUnixNanos);
      inProgress = begun;
      return begun;
    } catch (IOException e) {
      throw store.writeFailed(e);
    }
  }

  /** Refuses a round that would make the view of an object too large to be merged in memory. */
  void checkViews(RoundManifest added) {
    stored.checkViews(added, store.options().maxViewRuns());
  }

  /** The round in progress is committed: sees what is on disk now. */
  void committed() {
    inProgress = null;
    stored = store.reader().migration(stored.name());
  }

  /** The round in progress is gone. */
  void aborted() {
    inProgress = null;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (inProgress != null) {
      inProgress.abort();
    }
    store.released(stored.name());
  }
}
