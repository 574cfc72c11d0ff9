package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.store.BlobFile;
import io.pagelift.store.PlaceRuns;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A migration in the hands of a reader. Keeps the merged view of one object, the one asked for last. */
final class CommittedMigration implements MigrationReader {
  private final StoreReader reader;
  private final StoredMigration stored;
  private final int maxRuns;
  private final Runnable whenClosed;
  private final Map<String, BlobFile> checkedBlobs = new HashMap<>();
  private long viewedObject;
  private boolean closed;
  private PlaceRuns view = PlaceRuns.none();

  CommittedMigration(StoreReader reader, StoredMigration stored, int maxRuns, Runnable whenClosed) {
    this.whenClosed = whenClosed;
    this.reader = reader;
    this.stored = stored;
    this.maxRuns = maxRuns;
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
    return HeldPages.of(view(objectId));
  }

  @Override
  public List<PagePlace> places(long objectId) {
    return new HeldPages.PlaceList(view(objectId));
  }

  @Override
  public void readPages(long objectId, long firstPage, int pageCount, ByteBuffer into) {
    PlaceRuns places = view(objectId);
    for (int done = 0; done < pageCount; ) {
      long page = firstPage + done;
      int run = places.indexOf(page);
      if (run < 0) {
        throw new PageliftException(
            ErrorCategory.USAGE,
            "Page " + page + " of object " + objectId + " of migration '" + name() + "' is not held; ask for held pages only.");
      }
      long skip = page - places.firstPage(run);
      int count = (int) Math.min(pageCount - done, places.pageCount(run) - skip);
      if (places.segment(run) == PlaceRuns.ZERO_SEGMENT) {
        putZeros(into, count);
      } else {
        reader.readPages(places.segment(run), places.segmentPage(run) + skip, count, into);
      }
      done += count;
    }
  }

  private static void putZeros(ByteBuffer into, int pageCount) {
    int end = into.position() + pageCount * StoreLayout.PAGE_BYTES;
    for (int at = into.position(); at < end; at += Long.BYTES) {
      into.putLong(at, 0);
    }
    into.position(end);
  }

  @Override
  public long imageBytes(String name) {
    return blob(name).lengthBytes();
  }

  @Override
  public void readImage(String name, long offsetBytes, ByteBuffer into) {
    blob(name).readPart(offsetBytes, into);
  }

  private BlobFile blob(String name) {
    return checkedBlobs.computeIfAbsent(
        name,
        blob -> {
          BlobFile file = stored.blobFile(blob);
          file.check();
          return file;
        });
  }

  private PlaceRuns view(long objectId) {
    if (viewedObject != objectId) {
      view = PlaceRuns.none();
      view = stored.places(objectId, maxRuns);
      viewedObject = objectId;
    }
    return view;
  }

  @Override
  public void close() {
    view = PlaceRuns.none();
    viewedObject = 0;
    if (!closed) {
      closed = true;
      whenClosed.run();
    }
  }
}
