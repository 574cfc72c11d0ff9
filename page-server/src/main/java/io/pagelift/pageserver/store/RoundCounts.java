package io.pagelift.pageserver.store;

import io.pagelift.store.StoreLayout;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.RoundCommitted;

/** What became of the pages of a round in progress. */
final class RoundCounts {
  private long stored;
  private long zero;
  private long dropped;
  private long deduplicatedRound;
  private long deduplicatedEarlier;

  void addStored(long pages) {
    stored += pages;
  }

  void addZero(long pages) {
    zero += pages;
  }

  void addDropped(long pages) {
    dropped += pages;
  }

  void addDeduplicated(boolean storedByThisRound) {
    if (storedByThisRound) {
      deduplicatedRound++;
    } else {
      deduplicatedEarlier++;
    }
  }

  /** The counts as the round's header keeps them. */
  RoundCommitted toHeader(int round) {
    return RoundCommitted.newBuilder()
        .setRound(round)
        .setPagesStored(stored)
        .setPagesZero(zero)
        .setPagesDropped(dropped)
        .setPagesDeduplicatedRound(deduplicatedRound)
        .setPagesDeduplicatedEarlier(deduplicatedEarlier)
        .setBytesStored(stored * StoreLayout.PAGE_BYTES)
        .build();
  }

  /** The counts as the session answers them. */
  static RoundResult result(RoundCommitted counts) {
    return new RoundResult(
        counts.getRound(),
        counts.getPagesStored(),
        counts.getPagesZero(),
        counts.getPagesDropped(),
        counts.getPagesDeduplicatedRound(),
        counts.getPagesDeduplicatedEarlier(),
        counts.getBytesStored());
  }

  /** Pages that a round brought: with contents or zero. */
  static long pagesHeld(RoundCommitted counts) {
    return counts.getPagesStored()
        + counts.getPagesZero()
        + counts.getPagesDeduplicatedRound()
        + counts.getPagesDeduplicatedEarlier();
  }
}
