package io.pagelift.wire;

/**
 * Pages of a round whose content the store had already, by where it was stored first. Each page counts once.
 *
 * @param sameRound for the same object, in this round
 * @param earlierRound for the same object, in an earlier round of the migration
 * @param otherProcess for another object of the migration, in any round
 * @param otherMigration for another migration, or nobody knows any more for which
 */
public record DeduplicatedPages(long sameRound, long earlierRound, long otherProcess, long otherMigration) {
  /** Nothing was found again. */
  public static final DeduplicatedPages NONE = new DeduplicatedPages(0, 0, 0, 0);

  /** All of them. */
  public long total() {
    return sameRound + earlierRound + otherProcess + otherMigration;
  }
}
