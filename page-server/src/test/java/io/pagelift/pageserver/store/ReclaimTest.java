package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Space comes back, and nothing that anybody can ask for is lost by it. */
class ReclaimTest {
  @TempDir Path temporary;

  private static long[] range(long first, int count) {
    return LongStream.range(first, first + count).toArray();
  }

  private long segmentBytes() throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.list(temporary.resolve("segments"))) {
      for (Path file : files.toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  @Test
  void aRemovedMigrationIsGoneAndItsPagesComeBackUnlessSharedWithAnother() throws IOException {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.commitComplete(store, "web", 0, range(1, 200));
      Stores.commitComplete(store, "mail", 0, range(151, 60));
      long before = segmentBytes();

      store.remove("web", false);

      assertThatThrownBy(() -> store.readMigration("web"))
          .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.USAGE));
      Reclaimed reclaimed = store.reclaim();
      assertThat(reclaimed.inUse()).isEmpty();
      assertThat(reclaimed.bytesFreed()).isEqualTo(150L * 4112);
      assertThat(before - segmentBytes()).isBetween(150L * 4112, 150L * 4112 + 16);
      Stores.assertHeld(store, "mail", 0, range(151, 60));
      Stores.commit(store, "web", 0, range(151, 60));
      Stores.assertHeld(store, "web", 0, range(151, 60));
    }
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.assertHeld(store, "mail", 0, range(151, 60));
    }
    assertThat(StoreVerifier.verify(temporary).damages()).isEmpty();
  }

  @Test
  void supersededPagesComeBackAndTheMigrationGoesOn() throws IOException {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      for (int round = 0; round < 6; round++) {
        Stores.commitComplete(store, "web", 0, range(1 + round * 200L, 200));
      }
      Stores.commitComplete(store, "web", 300, 7, 0, 8);

      Reclaimed reclaimed = store.reclaim();

      assertThat(reclaimed.segmentsDropped()).isGreaterThanOrEqualTo(4);
      Stores.assertHeld(store, "web", 0, range(1001, 200));
      Stores.assertHeld(store, "web", 300, 7, 0, 8);
      Stores.commitComplete(store, "web", 100, range(1, 10));
      Stores.assertHeld(store, "web", 100, range(1, 10));
      Stores.assertHeld(store, "web", 110, range(1111, 90));
      assertThat(store.reclaim().segmentsDropped()).isZero();
    }
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.assertHeld(store, "web", 110, range(1111, 90));
      assertThat(segmentBytes()).isLessThan(220L * 4112 + 100);
      try (MigrationReader reader = store.readMigration("web")) {
        assertThat(reader.lastRound()).isEqualTo(8);
        assertThat(reader.complete()).isTrue();
      }
    }
    assertThat(StoreVerifier.verify(temporary).damages()).isEmpty();
  }

  @Test
  void whatIsOpenOrInProgressIsLeftAlone() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.commitComplete(store, "web", 0, range(1, 200));
      Stores.commitComplete(store, "web", 0, range(301, 200));
      Stores.commitComplete(store, "gone", 0, range(601, 250));
      MigrationLog other = store.openMigration("other", true);
      RoundInProgress round = Stores.begin(other);
      round.append(1, List.of(PageRun.data(0, 5)), PageContents.payload(601, 602, 603, 604, 605));
      try (MigrationReader reader = store.readMigration("web")) {
        store.remove("gone", false);
        assertThatThrownBy(() -> store.remove("web", false)).isInstanceOf(PageliftException.class).hasMessageContaining("being read");

        Reclaimed reclaimed = store.reclaim();

        assertThat(reclaimed.inUse()).containsExactly("web");
        assertThat(reclaimed.segmentsDropped()).isZero();
        ByteBuffer page = ByteBuffer.allocateDirect(4096);
        reader.readPages(1, 7, 1, page);
        assertThat(page.flip().mismatch(PageContents.payload(308))).isEqualTo(-1);
      }
      round.commit(List.of(), false);
      other.close();
      Stores.assertHeld(store, "other", 0, 601, 602, 603, 604, 605);
      assertThat(store.reclaim().inUse()).isEmpty();
      Stores.assertHeld(store, "web", 0, range(301, 200));
      Stores.assertHeld(store, "other", 0, 601, 602, 603, 604, 605);
    }
  }
}
