package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.PageRun;
import io.pagelift.store.StoreLayout;
import io.pagelift.wire.RoundResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Steps that store tests share. */
final class Stores {
  /** Small enough for tests to fill a segment. */
  static final StoreOptions SMALL = new StoreOptions(256, DedupTable.MIN_SLOTS, 10_000);

  /** The object that the steps below write. */
  static final long OBJECT = 1;

  private Stores() {}

  static DirectoryPageStore open(Path directory) {
    return DirectoryPageStore.open(directory, SMALL, PageHash.crc());
  }

  /** Commits a round with pages of these contents, one after the other from a first page on, at most 256. */
  static RoundResult commit(DirectoryPageStore store, String name, long firstPage, long... contents) {
    try (MigrationLog migration = store.openMigration(name, true)) {
      RoundInProgress round = begin(migration);
      round.append(OBJECT, List.of(PageRun.data(firstPage, contents.length)), PageContents.payload(contents));
      return round.commit(List.of(), false);
    }
  }

  /** The same, complete with a blob "tree". */
  static RoundResult commitComplete(DirectoryPageStore store, String name, long firstPage, long... contents) {
    try (MigrationLog migration = store.openMigration(name, true)) {
      RoundInProgress round = begin(migration);
      round.append(OBJECT, List.of(PageRun.data(firstPage, contents.length)), PageContents.payload(contents));
      ByteBuffer tree = ByteBuffer.wrap(("tree of " + name).getBytes(StandardCharsets.UTF_8));
      round.putImagePart("tree", 0, tree.remaining(), tree);
      return round.commit(List.of(), true);
    }
  }

  static RoundInProgress begin(MigrationLog migration) {
    return migration.beginRound(migration.lastRound() + 1, "none", "token", 1);
  }

  /** Asserts that a migration holds these contents. */
  static void assertHeld(DirectoryPageStore store, String name, long firstPage, long... contents) {
    ByteBuffer pages = ByteBuffer.allocateDirect(contents.length * StoreLayout.PAGE_BYTES);
    try (MigrationReader reader = store.readMigration(name)) {
      reader.readPages(OBJECT, firstPage, contents.length, pages);
    }
    assertThat(pages.flip().mismatch(PageContents.payload(contents))).as("first byte that differs").isEqualTo(-1);
  }
}
