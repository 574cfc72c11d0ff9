package io.pagelift.pageserver.store;

import io.pagelift.common.PageChecksums;
import io.pagelift.store.Place;
import io.pagelift.store.PlaceRuns;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoredMigration;
import io.pagelift.store.proto.RoundHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Gives a migration that nobody has open a last manifest that names all that is held, none of it in certain segments. What lies
 * there is stored again first. Then the earlier rounds, which count no more, lose their runs and keep what they say of
 * themselves.
 */
final class ManifestRewrite {
  private final DirectoryPageStore store;
  private final StoredMigration migration;
  private final Set<Integer> victims;
  private final RoundPages pages;
  private final PageBatch batch;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(PageBatch.MAX_PAGES * StoreLayout.PAGE_BYTES);
  private long moved;

  /** Prepares to rewrite a migration of one round or more. */
  ManifestRewrite(DirectoryPageStore store, StoredMigration migration, Set<Integer> victims) {
    this.store = store;
    this.migration = migration;
    this.victims = victims;
    this.pages = new RoundPages(store.segments().origins(), migration.name(), migration.lastRound());
    this.batch = new PageBatch(store.pageHash());
    pages.reclaiming();
  }

  /** Returns how many pages were stored again. */
  long run() throws IOException {
    store.segments().begin(pages);
    try {
      writeWhole();
      clearEarlier();
      return moved;
    } finally {
      store.segments().end(pages);
    }
  }

  private void writeWhole() throws IOException {
    int last = migration.lastRound();
    ManifestWriter writer = new ManifestWriter(store.layout().manifestFile(migration.name(), last));
    try {
      for (Map.Entry<Long, PlaceRuns> object : new TreeMap<>(migration.places()).entrySet()) {
        pages.object(object.getKey());
        add(writer, object.getKey(), object.getValue());
      }
      store.segments().force(pages.reaches());
      RoundHeader.Builder header = migration.rounds().get(last - 1).header().toBuilder().clearReaches().clearStored().setWhole(true);
      pages.describe(header);
      writer.finish(header.build(), store.storage());
      writer.publish();
      store.storage().forceDirectory(store.layout().migrationDirectory(migration.name()));
    } finally {
      writer.discard();
    }
  }

  private void add(ManifestWriter writer, long objectId, PlaceRuns places) throws IOException {
    for (int run = 0; run < places.size(); run++) {
      int segment = places.segment(run);
      if (segment == PlaceRuns.ZERO_SEGMENT) {
        writer.add(objectId, places.firstPage(run), places.pageCount(run), Place.ZERO);
      } else if (!victims.contains(segment)) {
        store.segments().refer(pages, segment, (int) places.segmentPage(run) + places.pageCount(run));
        writer.add(objectId, places.firstPage(run), places.pageCount(run), Place.of(segment, places.segmentPage(run)));
      } else {
        move(writer, objectId, places, run);
      }
    }
  }

  private void move(ManifestWriter writer, long objectId, PlaceRuns places, int run) throws IOException {
    for (int done = 0; done < places.pageCount(run); ) {
      int count = Math.min(PageBatch.MAX_PAGES, places.pageCount(run) - done);
      buffer.clear().limit(count * StoreLayout.PAGE_BYTES);
      store.reader().readPages(places.segment(run), places.segmentPage(run) + done, count, buffer);
      buffer.flip();
      batch.load(buffer, PageChecksums.of(buffer));
      moved += store.segments().store(batch, pages);
      for (int page = 0; page < count; page++) {
        writer.add(objectId, places.firstPage(run) + done + page, 1, batch.place(page));
      }
      done += count;
    }
  }

  private void clearEarlier() throws IOException {
    for (RoundManifest round : migration.rounds().subList(0, migration.lastRound() - 1)) {
      if (round.runCount() == 0 && round.header().getReachesCount() == 0) {
        continue;
      }
      ManifestWriter writer = new ManifestWriter(round.file());
      try {
        writer.finish(round.header().toBuilder().clearReaches().clearStored().build(), store.storage());
        writer.publish();
      } finally {
        writer.discard();
      }
    }
    store.storage().forceDirectory(store.layout().migrationDirectory(migration.name()));
  }
}
