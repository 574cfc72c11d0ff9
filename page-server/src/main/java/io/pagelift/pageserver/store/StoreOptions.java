package io.pagelift.pageserver.store;

import io.pagelift.store.StoredMigration;

/**
 * Bounds of a store.
 *
 * @param segmentPages pages of a segment file before the next one begins, 256 to 262,144
 * @param dedupMaxSlots bound of the deduplication table, a power of two; 8 bytes each
 * @param maxViewRuns bound of the runs of one object's merged view, which must fit into memory
 */
record StoreOptions(int segmentPages, int dedupMaxSlots, int maxViewRuns) {
  private static final int SLOT_BYTES = 8;
  private static final int MOST_SLOTS = 1 << 23;

  /** 1 GiB segments; the largest table that fits into a quarter of the heap, but no more than 64 MiB. */
  static StoreOptions defaults() {
    long quarter = Runtime.getRuntime().maxMemory() / 4 / SLOT_BYTES;
    int slots = Integer.highestOneBit((int) Math.max(DedupTable.MIN_SLOTS, Math.min(MOST_SLOTS, quarter)));
    return new StoreOptions(GlobalPage.PAGES_PER_SEGMENT, slots, StoredMigration.MAX_VIEW_RUNS);
  }

  StoreOptions {
    if (segmentPages < PageBatch.MAX_PAGES || segmentPages > GlobalPage.PAGES_PER_SEGMENT) {
      throw new IllegalArgumentException("segmentPages out of range: " + segmentPages);
    }
    if (Integer.bitCount(dedupMaxSlots) != 1 || dedupMaxSlots < DedupTable.MIN_SLOTS) {
      throw new IllegalArgumentException("dedupMaxSlots is not a power of two of 4096 or more: " + dedupMaxSlots);
    }
    if (maxViewRuns < 1) {
      throw new IllegalArgumentException("maxViewRuns: " + maxViewRuns);
    }
  }
}
