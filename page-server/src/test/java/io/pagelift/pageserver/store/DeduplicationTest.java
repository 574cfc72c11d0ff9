package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.PageRun;
import io.pagelift.wire.DeduplicatedPages;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.Durability;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeduplicationTest {
  @TempDir Path temporary;

  @Test
  void equalPagesOfOneBatchAreStoredOnce() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      RoundResult result = Stores.commit(store, "m", 100, 7, 8, 7, 7, 8, 9);

      assertThat(result).isEqualTo(result(1, 3, 0, new DeduplicatedPages(3, 0, 0, 0)));
      Stores.assertHeld(store, "m", 100, 7, 8, 7, 7, 8, 9);
    }
  }

  @Test
  void aPageOfAnEarlierRoundOrOfAnotherMigrationIsFoundAgain() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.commit(store, "m", 0, 1, 2, 3, 4);

      assertThat(Stores.commit(store, "m", 50, 2, 3, 4, 5)).isEqualTo(result(2, 1, 0, new DeduplicatedPages(0, 3, 0, 0)));
      assertThat(Stores.commit(store, "other", 0, 5, 4, 3, 2, 1)).isEqualTo(result(1, 0, 0, new DeduplicatedPages(0, 0, 0, 5)));
      Stores.assertHeld(store, "m", 50, 2, 3, 4, 5);
      Stores.assertHeld(store, "other", 0, 5, 4, 3, 2, 1);
    }
  }

  @Test
  void pagesOfEarlierRoundsAreFoundAfterTheStoreIsOpenedAgain() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.commit(store, "m", 0, 1, 2, 3);
    }
    try (DirectoryPageStore store = Stores.open(temporary)) {
      assertThat(Stores.commit(store, "m", 0, 3, 2, 1).deduplicated()).isEqualTo(new DeduplicatedPages(0, 3, 0, 0));
      assertThat(Stores.commit(store, "other", 0, 3, 2, 1).deduplicated()).isEqualTo(new DeduplicatedPages(0, 0, 0, 3));
    }
  }

  @Test
  void everyKindOfDeduplicationIsCountedByItself() {
    try (DirectoryPageStore store = Stores.open(temporary);
        MigrationLog migration = store.openMigration("m", true)) {
      Stores.commit(store, "before", 0, 9, 10);
      RoundInProgress first = Stores.begin(migration);
      first.append(1, List.of(PageRun.data(0, 3)), PageContents.payload(1, 2, 9));
      first.commit(List.of(), false);
      RoundInProgress second = Stores.begin(migration);
      second.append(1, List.of(PageRun.data(0, 7)), PageContents.payload(5, 5, 1, 2, 10, 0, 0));
      second.append(2, List.of(PageRun.data(0, 4)), PageContents.payload(5, 1, 6, 6));

      assertThat(second.commit(List.of(), false)).isEqualTo(result(2, 2, 2, new DeduplicatedPages(2, 2, 2, 1)));
    }
  }

  private static RoundResult result(int round, long stored, long zero, DeduplicatedPages deduplicated) {
    return new RoundResult(round, stored, zero, 0, deduplicated, stored * 4096, Durability.FULL);
  }

  @Test
  void zeroPagesAreStoredNowhere() throws Exception {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      RoundResult result = Stores.commit(store, "m", 10, 0, 0, 5, 0);

      assertThat(result).isEqualTo(result(1, 1, 3, DeduplicatedPages.NONE));
      assertThat(Files.size(temporary.resolve("segments/00000001.pages"))).isEqualTo(4096);
      Stores.assertHeld(store, "m", 10, 0, 0, 5, 0);
    }
  }

  @Test
  void aForgedHashCollisionDoesNotMixPages() {
    long[] contents = LongStream.rangeClosed(1, 200).toArray();
    try (DirectoryPageStore store = DirectoryPageStore.open(temporary, Stores.SMALL, (page, crc) -> 42)) {
      assertThat(Stores.commit(store, "m", 0, contents).pagesStored()).isEqualTo(200);
      Stores.assertHeld(store, "m", 0, contents);
      Stores.commit(store, "m", 300, contents);
      Stores.assertHeld(store, "m", 300, contents);
      Stores.assertHeld(store, "m", 0, contents);
    }
  }

  @Test
  void pagesThatCollideInHalfOfTheHashAreKeptApart() {
    PageHash whole = PageHash.crc();
    long[] contents = LongStream.rangeClosed(1, 256).toArray();
    try (DirectoryPageStore store = DirectoryPageStore.open(temporary, Stores.SMALL, (page, crc) -> whole.hash(page, crc) & 7)) {
      Stores.commit(store, "m", 0, contents);
      Stores.commit(store, "m", 300, LongStream.rangeClosed(129, 384).toArray());
      Stores.assertHeld(store, "m", 0, contents);
      Stores.assertHeld(store, "m", 300, LongStream.rangeClosed(129, 384).toArray());
    }
  }

  @Test
  void aPageOfAnAbortedRoundMayBeUsedByALaterOne() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      try (MigrationLog migration = store.openMigration("m", true)) {
        RoundInProgress round = Stores.begin(migration);
        round.append(1, List.of(PageRun.data(0, 2)), PageContents.payload(1, 2));
        round.abort();
      }
      assertThat(Stores.commit(store, "m", 0, 1, 2, 3).pagesStored()).isEqualTo(1);
    }
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.assertHeld(store, "m", 0, 1, 2, 3);
    }
  }
}
