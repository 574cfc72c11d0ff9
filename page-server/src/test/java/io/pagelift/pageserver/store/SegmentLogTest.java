package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageChecksums;
import io.pagelift.store.IndexFormat;
import io.pagelift.store.Place;
import io.pagelift.store.StoreLayout;
import io.pagelift.wire.proto.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log of pages on a disk that fails. */
class SegmentLogTest {
  @TempDir Path directory;

  private FaultyChannel pages;
  private SegmentLog log;

  @BeforeEach
  void openLogOverFaultyDisk() throws IOException {
    StoreLayout layout = new StoreLayout(directory);
    Files.createDirectory(layout.segmentsDirectory());
    pages = new FaultyChannel(PrivateFiles.create(layout.segmentFile(1)));
    FileChannel index = PrivateFiles.create(layout.indexFile(1));
    PrivateFiles.writeFully(index, IndexFormat.head(1), 0);
    StableStorage storage = new StableStorage(layout, Durability.FULL, StoreStep.Watch.NONE);
    Segment segment = new Segment(layout, storage, 1, pages, index, 0);
    DedupTable table = new DedupTable(DedupTable.MIN_SLOTS);
    log = new SegmentLog(layout, storage, Stores.SMALL, table, new Origins(), Map.of(1, segment), segment, 2);
  }

  @AfterEach
  void close() throws IOException {
    log.close();
  }

  @Test
  void whatAFailedForceMayHaveLostIsNeverReferredToAgain() throws IOException {
    assertThat(places(1, 2)).containsExactly(Place.of(1, 0), Place.of(1, 1));
    log.force(Map.of(1, 2));
    assertThat(places(3, 4)).containsExactly(Place.of(1, 2), Place.of(1, 3));

    pages.failing(true);
    assertThatThrownBy(() -> log.force(Map.of(1, 4))).isInstanceOf(IOException.class);
    pages.failing(false);

    assertThatThrownBy(() -> log.force(Map.of(1, 4))).hasMessageContaining("was lost");
    log.force(Map.of(1, 2));
    assertThat(places(3, 1)).containsExactly(Place.of(2, 0), Place.of(1, 0));
  }

  @Test
  void aFailedWriteLeavesNothingToReferTo() throws IOException {
    places(1, 2);
    pages.failing(true);
    assertThatThrownBy(() -> places(3, 4)).isInstanceOf(IOException.class);
    pages.failing(false);

    assertThat(places(4, 3, 2)).containsExactly(Place.of(1, 2), Place.of(1, 3), Place.of(1, 1));
    log.force(Map.of(1, 4));
  }

  private long[] places(long... contents) throws IOException {
    PageBatch batch = new PageBatch(PageHash.crc());
    ByteBuffer payload = PageContents.payload(contents);
    batch.load(payload, PageChecksums.of(payload));
    log.store(batch, new RoundPages(log.origins(), "m", 1));
    long[] places = new long[contents.length];
    for (int page = 0; page < places.length; page++) {
      places[page] = batch.place(page);
    }
    return places;
  }
}
