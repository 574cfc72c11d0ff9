package io.pagelift.restorer.source;

import com.google.protobuf.InvalidProtocolBufferException;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.image.TreeImage;
import io.pagelift.store.PlaceRuns;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.PageSink;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A migration in a store directory of this host. */
final class StoreSource implements ImageSource {
  /** Pages that one buffer holds: 1 MiB, as everywhere on the page path. */
  private static final int BUFFER_PAGES = 256;

  private final Path directory;
  private final StoreReader store;
  private final StoredMigration migration;
  private final Map<Long, PlaceRuns> places;

  private StoreSource(Path directory, StoreReader store, StoredMigration migration) {
    this.directory = directory;
    this.store = store;
    this.migration = migration;
    this.places = migration.places();
  }

  /**
   * Opens a migration.
   *
   * @param name empty: the only complete one
   */
  static StoreSource open(Path directory, String name) {
    StoreReader store = StoreReader.open(directory);
    try {
      return new StoreSource(directory, store, store.migration(name.isEmpty() ? onlyComplete(directory, store) : name));
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  private static String onlyComplete(Path directory, StoreReader store) {
    List<String> complete = new ArrayList<>();
    for (String name : store.migrationNames()) {
      if (store.migration(name).complete()) {
        complete.add(name);
      }
    }
    return OnlyComplete.of(complete, "the store " + directory);
  }

  @Override
  public String description() {
    return "migration '" + migration.name() + "' in " + directory;
  }

  @Override
  public int round() {
    return migration.lastRound();
  }

  @Override
  public HandoverSession handover() {
    throw new PageliftException(
        ErrorCategory.REFUSED,
        "Which copy of " + description() + " lives is for its page-server to decide: restore it with --from HOST:PORT instead of --store.");
  }

  @Override
  public TreeImage tree() {
    try {
      return TreeImage.parseFrom(migration.readBlob("tree"));
    } catch (InvalidProtocolBufferException e) {
      throw new PageliftException(
          ErrorCategory.CORRUPT, "The tree image of " + description() + " can't be read: " + e.getMessage() + ".", e);
    }
  }

  @Override
  public void forEachPlace(long objectId, Consumer<PagePlace> sink) {
    PlaceRuns runs = places.getOrDefault(objectId, PlaceRuns.none());
    for (int i = 0; i < runs.size(); i++) {
      sink.accept(new PagePlace(runs.firstPage(i), runs.pageCount(i), runs.segment(i), runs.segmentPage(i)));
    }
  }

  @Override
  public Optional<Path> segmentFile(int segment) {
    return Optional.of(store.segmentFile(segment));
  }

  @Override
  public void check(PagePlace place) {
    store.checkPages(place.segment(), place.segmentPage(), place.pageCount());
  }

  @Override
  public void read(long objectId, PageRuns pages, PageSink sink) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_PAGES * PageRun.PAGE_BYTES);
    forEachPlace(
        objectId,
        place ->
            pages.forEachWithin(
                place.firstPage(), place.endPage(), (first, end) -> readRun(place, first, end, buffer, sink)));
  }

  private void readRun(PagePlace place, long first, long end, ByteBuffer buffer, PageSink sink) {
    for (long page = first; page < end; page += BUFFER_PAGES) {
      int count = (int) Math.min(BUFFER_PAGES, end - page);
      buffer.clear();
      if (place.zero()) {
        while (buffer.position() < count * PageRun.PAGE_BYTES) {
          buffer.putLong(0);
        }
      } else {
        store.readPages(place.segment(), place.segmentPage() + page - place.firstPage(), count, buffer);
      }
      sink.pages(page, count, buffer.flip());
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
