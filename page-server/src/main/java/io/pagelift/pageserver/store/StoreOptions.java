package io.pagelift.pageserver.store;

import io.pagelift.store.StoredMigration;
import io.pagelift.wire.proto.Durability;

/**
 * Bounds and promises of a store.
 *
 * @param segmentPages pages of a segment file before the next one begins, 256 to 262,144
 * @param dedupMaxSlots bound of the deduplication table, a power of two; 8 bytes each
 * @param maxViewRuns bound of the runs of one object's merged view, which must fit into memory
 * @param durability what is forced before a round is acknowledged
 * @param maxStoreBytes bound of the bytes of all segments and their indexes; rounds that would go beyond are refused
 */
public record StoreOptions(int segmentPages, int dedupMaxSlots, int maxViewRuns, Durability durability, long maxStoreBytes) {
  private static final int SLOT_BYTES = 8;
  private static final int MOST_SLOTS = 1 << 23;

  /** The smallest bound of the deduplication table. */
  public static final long MIN_INDEX_BYTES = (long) DedupTable.MIN_SLOTS * SLOT_BYTES;

  /** 1 GiB segments; the largest table that fits into a quarter of the heap, but no more than 64 MiB; everything forced. */
  public static StoreOptions defaults() {
    long quarter = Runtime.getRuntime().maxMemory() / 4 / SLOT_BYTES;
    int slots = Integer.highestOneBit((int) Math.max(DedupTable.MIN_SLOTS, Math.min(MOST_SLOTS, quarter)));
    return new StoreOptions(GlobalPage.PAGES_PER_SEGMENT, slots, StoredMigration.MAX_VIEW_RUNS);
  }

  StoreOptions(int segmentPages, int dedupMaxSlots, int maxViewRuns) {
    this(segmentPages, dedupMaxSlots, maxViewRuns, Durability.FULL, Long.MAX_VALUE);
  }

  /** Checks the ranges; throws {@link IllegalArgumentException}. */
  public StoreOptions {
    if (segmentPages < PageBatch.MAX_PAGES || segmentPages > GlobalPage.PAGES_PER_SEGMENT) {
      throw new IllegalArgumentException("segmentPages out of range: " + segmentPages);
    }
    if (Integer.bitCount(dedupMaxSlots) != 1 || dedupMaxSlots < DedupTable.MIN_SLOTS) {
      throw new IllegalArgumentException("dedupMaxSlots is not a power of two of 4096 or more: " + dedupMaxSlots);
    }
    if (maxViewRuns < 1) {
      throw new IllegalArgumentException("maxViewRuns: " + maxViewRuns);
    }
    if (maxStoreBytes < 1) {
      throw new IllegalArgumentException("maxStoreBytes: " + maxStoreBytes);
    }
  }

  /** The same with another promise. */
  public StoreOptions withDurability(Durability other) {
    return new StoreOptions(segmentPages, dedupMaxSlots, maxViewRuns, other, maxStoreBytes);
  }

  /** The same with another bound of its size. */
  public StoreOptions withMaxStoreBytes(long bytes) {
    return new StoreOptions(segmentPages, dedupMaxSlots, maxViewRuns, durability, bytes);
  }

  /**
   * The same with another bound of the deduplication table.
   *
   * @param bytes at least {@link #MIN_INDEX_BYTES}; rounded down to a power of two, no more than half of the heap is allowed
   */
  public StoreOptions withIndexMemory(long bytes) {
    int slots = (int) Long.highestOneBit(Math.min(bytes / SLOT_BYTES, 1L << 30));
    return new StoreOptions(segmentPages, slots, maxViewRuns, durability, maxStoreBytes);
  }
}
