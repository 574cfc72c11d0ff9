package io.pagelift.pageserver.store;

/**
 * Bounds of a store.
 *
 * @param segmentPages pages of a segment file before the next one begins, 256 to 262,144
 * @param dedupMaxSlots bound of the deduplication table, a power of two; 8 bytes each
 * @param maxRunsPerMigration bound of the runs that all manifests of one migration may hold; keeps the merged view, 20 bytes
 *     per run, within the server's memory
 */
record StoreOptions(int segmentPages, int dedupMaxSlots, int maxRunsPerMigration) {
  /** 1 GiB segments; a table of at most 64 MiB, which remembers 22 GiB of pages; two million runs. */
  static final StoreOptions DEFAULT = new StoreOptions(1 << 18, 1 << 23, 1 << 21);

  StoreOptions {
    if (segmentPages < PageBatch.MAX_PAGES || segmentPages > GlobalPage.PAGES_PER_SEGMENT) {
      throw new IllegalArgumentException("segmentPages out of range: " + segmentPages);
    }
    if (Integer.bitCount(dedupMaxSlots) != 1 || dedupMaxSlots < DedupTable.MIN_SLOTS) {
      throw new IllegalArgumentException("dedupMaxSlots is not a power of two of 1024 or more: " + dedupMaxSlots);
    }
    if (maxRunsPerMigration < 1) {
      throw new IllegalArgumentException("maxRunsPerMigration: " + maxRunsPerMigration);
    }
  }
}
