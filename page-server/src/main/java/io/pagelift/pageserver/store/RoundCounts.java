package io.pagelift.pageserver.store;

import io.pagelift.store.StoreLayout;
import io.pagelift.wire.proto.Durability;
import io.pagelift.wire.proto.RoundCommitted;
import org.jspecify.annotations.Nullable;

/** What became of the pages of a round in progress. */
final class RoundCounts {
  private long stored;
  private long zero;
  private long dropped;
  private long sameRound;
  private long earlierRound;
  private long otherProcess;
  private long otherMigration;

  void addStored(long pages) {
    stored += pages;
  }

  void addZero(long pages) {
    zero += pages;
  }

  void addDropped(long pages) {
    dropped += pages;
  }

  /**
   * A page was found again.
   *
   * @param first where it was stored first; null when nobody knows
   */
  void addDeduplicated(String migration, int round, long objectId, Origins.@Nullable Origin first) {
    if (first == null || !first.migration().equals(migration)) {
      otherMigration++;
    } else if (first.objectId() != objectId) {
      otherProcess++;
    } else if (first.round() == round) {
      sameRound++;
    } else {
      earlierRound++;
    }
  }

  /** The counts as the round's header keeps them. */
  RoundCommitted toHeader(int round, Durability durability) {
    return RoundCommitted.newBuilder()
        .setRound(round)
        .setPagesStored(stored)
        .setPagesZero(zero)
        .setPagesDropped(dropped)
        .setPagesDeduplicatedRound(sameRound)
        .setPagesDeduplicatedEarlier(earlierRound)
        .setPagesDeduplicatedProcess(otherProcess)
        .setPagesDeduplicatedMigration(otherMigration)
        .setBytesStored(stored * StoreLayout.PAGE_BYTES)
        .setDurability(durability)
        .build();
  }

  /** Pages that a round brought: with contents or zero. */
  static long pagesHeld(RoundCommitted counts) {
    return counts.getPagesStored()
        + counts.getPagesZero()
        + counts.getPagesDeduplicatedRound()
        + counts.getPagesDeduplicatedEarlier()
        + counts.getPagesDeduplicatedProcess()
        + counts.getPagesDeduplicatedMigration();
  }
}
