package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the store asks of its callers, and what it promises about its files. */
class StoreRulesTest {
  @TempDir Path temporary;

  @Test
  void onlyTheOwnerMayReadAnything() throws IOException {
    Path directory = temporary.resolve("deep/store");
    try (DirectoryPageStore store = Stores.open(directory)) {
      Stores.commitComplete(store, "m", 0, 1, 2);
    }
    try (Stream<Path> files = Files.walk(temporary.resolve("deep"))) {
      assertThat(files)
          .allSatisfy(
              file ->
                  assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                      .as(file.toString())
                      .isEqualTo(Files.isDirectory(file) ? "rwx------" : "rw-------"));
    }
  }

  @Test
  void aSecondWriterOfAMigrationIsRefusedUntilTheFirstIsDone() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      MigrationLog first = store.openMigration("m", true);
      assertRefused(ErrorCategory.REFUSED, () -> store.openMigration("m", true));
      first.close();
      store.openMigration("m", false).close();
    }
  }

  @Test
  void anUnknownMigrationAndABadNameAreUsageErrors() {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      assertRefused(ErrorCategory.USAGE, () -> store.openMigration("m", false));
      assertRefused(ErrorCategory.USAGE, () -> store.readMigration("m"));
      assertRefused(ErrorCategory.USAGE, () -> store.openMigration("../m", true));
      assertRefused(ErrorCategory.USAGE, () -> store.openMigration("", true));
    }
  }

  @Test
  void aRoundThatSaysCompleteNeedsAWholeTree() {
    try (DirectoryPageStore store = Stores.open(temporary);
        MigrationLog migration = store.openMigration("m", true)) {
      RoundInProgress without = Stores.begin(migration);
      assertRefused(ErrorCategory.USAGE, () -> without.commit(List.of(), true));
      RoundInProgress half = Stores.begin(migration);
      half.putImagePart("tree", 0, 10, ByteBuffer.allocate(9));
      assertRefused(ErrorCategory.USAGE, () -> half.commit(List.of(), true));
      assertThat(migration.lastRound()).isZero();
    }
  }

  @Test
  void roundsFollowEachOtherWithoutAGap() {
    try (DirectoryPageStore store = Stores.open(temporary);
        MigrationLog migration = store.openMigration("m", true)) {
      assertRefused(ErrorCategory.USAGE, () -> migration.beginRound(2, "none", "token", 1));
      RoundInProgress round = Stores.begin(migration);
      assertRefused(ErrorCategory.USAGE, () -> migration.beginRound(1, "none", "token", 1));
      round.abort();
      Stores.begin(migration).commit(List.of(), false);
      assertThat(migration.lastRound()).isEqualTo(1);
    }
  }

  @Test
  void objectIdsThatWereEverUsedStayTaken() {
    ObjectInfo object = ObjectInfo.newBuilder().setId(9).setKind(ObjectInfo.Kind.ADDRESS_SPACE).setPid(1).build();
    try (DirectoryPageStore store = Stores.open(temporary);
        MigrationLog migration = store.openMigration("m", true)) {
      assertThat(migration.nextObjectId()).isEqualTo(1);
      Stores.begin(migration).commit(List.of(object), false);
      assertThat(migration.objects()).containsExactly(object);
      Stores.begin(migration).commit(List.of(), false);
      assertThat(migration.nextObjectId()).isEqualTo(10);
      assertThat(migration.objects()).isEmpty();
    }
  }

  @Test
  void moreRunsThanMemoryIsPlannedForAreRefused() {
    StoreOptions options = new StoreOptions(256, DedupTable.MIN_SLOTS, 100);
    try (DirectoryPageStore store = DirectoryPageStore.open(temporary, options, PageHash.crc());
        MigrationLog migration = store.openMigration("m", true)) {
      RoundInProgress round = Stores.begin(migration);
      ByteBuffer nothing = ByteBuffer.allocateDirect(0);
      for (int page = 0; page < 100; page++) {
        round.append(1, List.of(PageRun.zero(page * 2L, 1)), nothing);
      }
      round.commit(List.of(), false);
      RoundInProgress within = Stores.begin(migration);
      within.append(1, List.of(PageRun.drop(0, 1), PageRun.zero(0, 1), PageRun.zero(7, 3)), nothing);
      within.append(2, List.of(PageRun.zero(0, 1)), nothing);
      within.commit(List.of(), false);
      RoundInProgress beyond = Stores.begin(migration);
      for (int page = 0; page < 5; page++) {
        beyond.append(1, List.of(PageRun.zero(500 + page * 2L, 1)), nothing);
      }
      assertRefused(ErrorCategory.EXHAUSTED, () -> beyond.commit(List.of(), false));
      assertThat(migration.lastRound()).isEqualTo(2);
    }
  }

  @Test
  void whatWasNeverAcknowledgedIsGoneAfterAReopen() throws IOException {
    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.commit(store, "m", 0, 1);
      MigrationLog migration = store.openMigration("m", false);
      RoundInProgress round = Stores.begin(migration);
      round.append(1, List.of(PageRun.data(0, 2)), PageContents.payload(2, 3));
      round.putImagePart("tree", 0, 10, ByteBuffer.allocate(5));
    }
    Path migration = temporary.resolve("migrations/m");
    assertThat(migration.resolve("00000002.round.part")).exists();
    Files.writeString(migration.resolve("00000002.tree.blob"), "named, but its manifest was not");

    try (DirectoryPageStore store = Stores.open(temporary)) {
      Stores.assertHeld(store, "m", 0, 1);
    }
    try (Stream<Path> files = Files.list(migration)) {
      assertThat(files).containsExactly(migration.resolve("00000001.round"));
    }
    assertThat(Files.size(temporary.resolve("segments/00000001.pages"))).isEqualTo(4096);
  }

  private static void assertRefused(ErrorCategory category, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(category));
  }
}
