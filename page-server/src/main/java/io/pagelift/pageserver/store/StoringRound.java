package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageChecksums;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.store.BlobFile;
import io.pagelift.store.ManifestFormat;
import io.pagelift.store.Place;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.proto.RoundHeader;
import io.pagelift.wire.Messages;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.RoundCommitted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A round on its way into the store. Pages go to the segments at once, runs to the temporary manifest; only the commit makes
 * them count. Its order is what durability rests on: pages forced, index forced, blobs forced and named, manifest forced,
 * manifest named, directory forced. A crash before the last step leaves nothing but garbage, which the next start drops.
 */
final class StoringRound implements RoundInProgress {
  private static final Logger LOG = LoggerFactory.getLogger(StoringRound.class);
  private static final String TREE = "tree";
  private static final int MAX_BLOBS = 16;

  private final DirectoryPageStore store;
  private final WritableMigration migration;
  private final int round;
  private final RoundHeader.Builder header;
  private final ManifestWriter manifest;
  private final PageBatch batch;
  private final RoundPages pages;
  private final RoundCounts counts = new RoundCounts();
  private final Map<String, BlobWriter> blobs = new LinkedHashMap<>();

  private long nextObjectId;
  private boolean over;
  private @Nullable PageliftException failure;

  StoringRound(
      DirectoryPageStore store,
      WritableMigration migration,
      int round,
      String tracker,
      String trackingToken,
      long startedUnixNanos)
      throws IOException {
    this.store = store;
    this.migration = migration;
    this.round = round;
    this.header =
        RoundHeader.newBuilder()
            .setMigration(migration.name())
            .setRound(round)
            .setTracker(tracker)
            .setTrackingToken(trackingToken)
            .setStartedUnixNanos(startedUnixNanos);
    this.nextObjectId = migration.nextObjectId();
    this.batch = new PageBatch(store.pageHash());
    this.pages = new RoundPages(store.segments().origins(), migration.name(), round);
    this.manifest = new ManifestWriter(store.layout().manifestFile(migration.name(), round));
    store.segments().begin(pages);
  }

  @Override
  public void append(long objectId, List<PageRun> runs, ByteBuffer payload) {
    append(objectId, runs, payload, PageChecksums.of(payload));
  }

  @Override
  public void append(long objectId, List<PageRun> runs, ByteBuffer payload, int[] pageChecksums) {
    attempt(
        () -> {
          takeObject(objectId);
          checkPayload(runs, payload);
          batch.load(payload, pageChecksums);
          pages.object(objectId);
          counts.addStored(store.segments().store(batch, pages));
          int payloadPage = 0;
          for (PageRun run : runs) {
            switch (run.kind()) {
              case DATA -> {
                addData(objectId, run, payloadPage);
                payloadPage += run.pageCount();
              }
              case ZERO -> {
                manifest.add(objectId, run.firstPage(), run.pageCount(), Place.ZERO);
                counts.addZero(run.pageCount());
              }
              case DROP -> {
                manifest.add(objectId, run.firstPage(), run.pageCount(), Place.DROP);
                counts.addDropped(run.pageCount());
              }
            }
          }
        });
  }

  private static void checkPayload(List<PageRun> runs, ByteBuffer payload) {
    long dataBytes = 0;
    for (PageRun run : runs) {
      dataBytes += run.kind() == PageRun.Kind.DATA ? run.lengthBytes() : 0;
    }
    if (dataBytes != payload.remaining()) {
      throw new PageliftException(
          ErrorCategory.USAGE, "A batch carries " + payload.remaining() + " bytes for " + dataBytes + " bytes of pages.");
    }
  }

  private void addData(long objectId, PageRun run, int firstPayloadPage) throws IOException {
    for (int i = 0; i < run.pageCount(); i++) {
      long place = batch.place(firstPayloadPage + i);
      manifest.add(objectId, run.firstPage() + i, 1, place);
      if (place == Place.ZERO) {
        counts.addZero(1);
        continue;
      }
      if (!batch.isNew(firstPayloadPage + i)) {
        counts.addDeduplicated(migration.name(), round, objectId, pages.origin(place));
      }
    }
  }

  private void takeObject(long objectId) {
    if (objectId < 1 || objectId == Long.MAX_VALUE) {
      throw new PageliftException(ErrorCategory.USAGE, "There is no object " + objectId + "; object ids begin with 1.");
    }
    nextObjectId = Math.max(nextObjectId, objectId + 1);
  }

  @Override
  public void putImagePart(String name, long offsetBytes, long totalBytes, ByteBuffer payload) {
    attempt(
        () -> {
          BlobWriter blob = blobs.get(name);
          if (blob == null) {
            blob = beginBlob(name, totalBytes);
          }
          blob.append(offsetBytes, totalBytes, payload);
        });
  }

  private BlobWriter beginBlob(String name, long totalBytes) throws IOException {
    StoreLayout.checkedBlobName(name);
    if (totalBytes < 0 || totalBytes > BlobFile.MAX_BYTES || blobs.size() == MAX_BLOBS) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The blob '" + name + "' of " + totalBytes + " bytes is too large, or more than " + MAX_BLOBS + " blobs in one round.");
    }
    BlobWriter blob = new BlobWriter(name, store.layout().blobFile(migration.name(), round, name), totalBytes);
    blobs.put(name, blob);
    return blob;
  }

  @Override
  public RoundResult commit(List<ObjectInfo> objects, boolean complete) {
    StableStorage storage = store.storage();
    RoundCommitted committed = counts.toHeader(round, storage.durability());
    attempt(
        () -> {
          checkWhole(complete);
          objects.forEach(object -> takeObject(object.getId()));
          store.segments().force(pages.reaches());
          for (BlobWriter blob : blobs.values()) {
            header.addBlobs(blob.finish(storage));
          }
          storage.reached(StoreStep.BLOBS_FORCED);
          finishManifest(objects, complete, committed);
          publish();
        });
    over = true;
    migration.committed();
    store.segments().end(pages);
    return Messages.fromWire(committed);
  }

  private void checkWhole(boolean complete) {
    for (BlobWriter blob : blobs.values()) {
      if (!blob.whole()) {
        throw new PageliftException(
            ErrorCategory.USAGE, "Blob '" + blob.name() + "' of round " + round + " is not whole: parts are missing.");
      }
    }
    if (complete && !blobs.containsKey(TREE)) {
      throw new PageliftException(
          ErrorCategory.USAGE, "Round " + round + " is said to be complete but carries no blob '" + TREE + "'.");
    }
  }

  private void finishManifest(List<ObjectInfo> objects, boolean complete, RoundCommitted committed) throws IOException {
    Instant now = Instant.now();
    header
        .setCommittedUnixNanos(now.getEpochSecond() * 1_000_000_000L + now.getNano())
        .setComplete(complete)
        .addAllObjects(objects)
        .setNextObjectId(nextObjectId)
        .setCounts(committed);
    pages.describe(header);
    RoundHeader finished = header.build();
    if (finished.getSerializedSize() > ManifestFormat.MAX_HEADER_BYTES) {
      throw new PageliftException(
          ErrorCategory.REFUSED, "Round " + round + " has too many objects (" + objects.size() + ") for its manifest.");
    }
    manifest.finish(finished, store.storage());
    store.storage().reached(StoreStep.MANIFEST_FORCED);
    migration.checkViews(manifest.reopen(migration.name(), round));
  }

  /** Names what is forced: blobs first and durably, so that no manifest ever refers to a blob that is not there. */
  private void publish() throws IOException {
    for (BlobWriter blob : blobs.values()) {
      blob.publish();
    }
    StableStorage storage = store.storage();
    if (!blobs.isEmpty()) {
      storage.forceDirectory(store.layout().migrationDirectory(migration.name()));
    }
    storage.reached(StoreStep.BLOBS_NAMED);
    manifest.publish();
    storage.reached(StoreStep.MANIFEST_NAMED);
    storage.forceDirectory(store.layout().migrationDirectory(migration.name()));
    storage.reached(StoreStep.DIRECTORY_FORCED);
  }

  @Override
  public void abort() {
    if (over) {
      return;
    }
    over = true;
    try {
      manifest.discard();
      for (BlobWriter blob : blobs.values()) {
        blob.discard();
      }
    } catch (IOException e) {
      LOG.warn("Remains of round {} of {} stay until the next start: {}", round, migration.name(), e.getMessage());
    }
    migration.aborted();
    store.segments().end(pages);
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  /** Runs a step of the round. The first failure ends the round; later calls get the same failure. */
  private void attempt(Step step) {
    if (failure != null) {
      throw failure;
    }
    if (over) {
      throw new IllegalStateException("round " + round + " of " + migration.name() + " is over");
    }
    try {
      store.storage().checkTrusted();
      step.run();
    } catch (IOException e) {
      failure = store.writeFailed(e);
    } catch (PageliftException e) {
      failure = e;
    } catch (RuntimeException e) {
      abort();
      throw e;
    }
    if (failure != null) {
      abort();
      throw failure;
    }
  }
}
