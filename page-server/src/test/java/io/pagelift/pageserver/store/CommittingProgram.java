package io.pagelift.pageserver.store;

import io.pagelift.common.PageRun;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;

/** Commits rounds until it is killed; says each one that was acknowledged. Started as a process of its own. */
final class CommittingProgram {
  private static final int PAGES = 64;

  private CommittingProgram() {}

  /** The contents of a round's pages: half of them new, half those of the round before. */
  static long[] contents(int round) {
    return LongStream.range(0, PAGES).map(i -> round * (PAGES / 2L) + i + 1).toArray();
  }

  /** The first page of a round: every round has its own place, so that all of them can be read back. */
  static long firstPage(int round) {
    return (long) round * PAGES;
  }

  /** {@code CommittingProgram DIRECTORY}. */
  public static void main(String[] args) {
    try (DirectoryPageStore store = Stores.open(Path.of(args[0]));
        MigrationLog migration = store.openMigration("m", true)) {
      System.out.println("open");
      while (true) {
        int number = migration.lastRound() + 1;
        RoundInProgress round = migration.beginRound(number, "none", "token", 1);
        long[] contents = contents(number);
        round.append(1, List.of(PageRun.data(firstPage(number), contents.length)), PageContents.payload(contents));
        round.commit(List.of(), false);
        System.out.println(number);
      }
    }
  }
}
