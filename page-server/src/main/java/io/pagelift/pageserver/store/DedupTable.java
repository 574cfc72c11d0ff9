package io.pagelift.pageserver.store;

/**
 * Where pages of a given content hash may lie: an open-addressing table of longs, each {32 bits of hash, {@link GlobalPage}}.
 *
 * <p>It only ever proposes candidates; the bytes are compared before a page is used again. So it may forget and it may be
 * wrong: half of the hash is enough (with a million pages one lookup in 4000 proposes a wrong page), and when it has reached
 * its bound, the oldest page of a probe window makes room.
 *
 * <p>It is made of shards that grow one by one, so that growing never needs more than a shard twice. Between growths a shard is
 * 35 to 70 percent full: 11 to 23 bytes per page.
 *
 * <p>Not thread-safe: guarded by the lock of {@link SegmentLog}.
 */
final class DedupTable {
  private static final int SHARDS = 64;
  private static final int MIN_SHARD_SLOTS = 64;

  /** Slots of an empty table. */
  static final int MIN_SLOTS = SHARDS * MIN_SHARD_SLOTS;

  /** Slots that are looked at for one hash. A chosen flood of equal hashes costs no more than this. */
  private static final int PROBE_SLOTS = 32;

  /** 2^32 divided by the golden ratio: spreads neighbouring tags over the whole shard. */
  private static final int SPREAD = 0x9E3779B9;

  private final Shard[] shards = new Shard[SHARDS];

  /** A table that grows up to a number of slots, 8 bytes each: a power of two, {@link #MIN_SLOTS} or more. */
  DedupTable(int maxSlots) {
    for (int i = 0; i < SHARDS; i++) {
      shards[i] = new Shard(maxSlots / SHARDS);
    }
  }

  /** Entries that it can remember before it begins to forget. */
  long capacity() {
    return (long) SHARDS * shards[0].maxSlots / 10 * 7;
  }

  /**
   * A page that may have this content.
   *
   * @param skip candidates to pass over, those that turned out to differ
   * @return the page, or {@link GlobalPage#NONE}
   */
  int find(long hash, int skip) {
    int tag = tag(hash);
    return shard(tag).find(tag, skip);
  }

  /** Remembers a page. {@link GlobalPage#NONE} is ignored. */
  void add(long hash, int globalPage) {
    if (globalPage != GlobalPage.NONE) {
      int tag = tag(hash);
      shard(tag).add((long) tag << 32 | (globalPage & 0xffff_ffffL));
    }
  }

  private Shard shard(int tag) {
    return shards[tag & (SHARDS - 1)];
  }

  private static int tag(long hash) {
    return (int) ((hash >>> 32) ^ hash);
  }

  private static final class Shard {
    private final int maxSlots;
    private long[] slots = new long[MIN_SHARD_SLOTS];
    private int used;

    Shard(int maxSlots) {
      this.maxSlots = maxSlots;
    }

    int find(int tag, int skip) {
      int mask = slots.length - 1;
      int left = skip;
      for (int probe = 0, at = home(tag); probe < PROBE_SLOTS; probe++, at = (at + 1) & mask) {
        long slot = slots[at];
        if (slot == 0) {
          return GlobalPage.NONE;
        }
        if ((int) (slot >>> 32) == tag && left-- == 0) {
          return (int) slot;
        }
      }
      return GlobalPage.NONE;
    }

    void add(long entry) {
      if (used >= slots.length / 10 * 7 && slots.length < maxSlots) {
        grow();
      }
      if (put(entry, false)) {
        return;
      }
      // A full window in a shard that is half empty is a flood of equal hashes: growing would not help.
      if (used >= slots.length / 2 && slots.length < maxSlots) {
        grow();
      }
      put(entry, true);
    }

    /** Puts an entry into a free slot of its window, or in place of the window's oldest page if {@code evict}. */
    private boolean put(long entry, boolean evict) {
      int mask = slots.length - 1;
      int oldest = -1;
      for (int probe = 0, at = home((int) (entry >>> 32)); probe < PROBE_SLOTS; probe++, at = (at + 1) & mask) {
        if (slots[at] == 0) {
          slots[at] = entry;
          used++;
          return true;
        }
        if (oldest < 0 || Integer.compareUnsigned((int) slots[at], (int) slots[oldest]) < 0) {
          oldest = at;
        }
      }
      if (evict) {
        slots[oldest] = entry;
      }
      return evict;
    }

    private void grow() {
      long[] old = slots;
      slots = new long[old.length * 2];
      used = 0;
      for (long entry : old) {
        if (entry != 0) {
          put(entry, true);
        }
      }
    }

    private int home(int tag) {
      int bits = Integer.numberOfTrailingZeros(slots.length);
      return (tag * SPREAD) >>> (Integer.SIZE - bits);
    }
  }
}
