package io.pagelift.pageserver.store;

/**
 * Where pages of a given content hash may lie: an open-addressing table of longs, each {32 bits of hash, {@link GlobalPage}}.
 *
 * <p>It only ever proposes candidates; the bytes are compared before a page is used again. So it may forget and it may be
 * wrong: half of the hash is enough (with six million pages one lookup in 700 proposes a wrong page), and when it has reached
 * its bound, the oldest page of a probe window makes room. Between growths it is 35 to 70 percent full: 11 to 23 bytes per
 * page. Growing holds the old and the new array for a moment.
 *
 * <p>Not thread-safe: guarded by the lock of {@link SegmentLog}.
 */
final class DedupTable {
  /** Slots of an empty table. */
  static final int MIN_SLOTS = 1024;

  /** Slots that are looked at for one hash. A chosen flood of equal hashes costs no more than this. */
  private static final int PROBE_SLOTS = 32;

  private static final int GOLDEN_RATIO = 0x9E3779B9;

  private final int maxSlots;
  private long[] slots = new long[MIN_SLOTS];
  private int used;

  DedupTable(int maxSlots) {
    this.maxSlots = maxSlots;
  }

  /**
   * A page that may have this content.
   *
   * @param skip candidates to pass over, those that turned out to differ
   * @return the page, or {@link GlobalPage#NONE}
   */
  int find(long hash, int skip) {
    int tag = tag(hash);
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

  /** Remembers a page. {@link GlobalPage#NONE} is ignored. */
  void add(long hash, int globalPage) {
    if (globalPage == GlobalPage.NONE) {
      return;
    }
    if (used >= slots.length / 10 * 7 && slots.length < maxSlots) {
      grow();
    }
    long entry = (long) tag(hash) << 32 | (globalPage & 0xffff_ffffL);
    if (put(entry, false)) {
      return;
    }
    // A full window in a table that is half empty is a flood of equal hashes: growing would not help.
    if (used >= slots.length / 2 && slots.length < maxSlots) {
      grow();
    }
    put(entry, true);
  }

  /** Number of pages that it remembers. */
  int size() {
    return used;
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
    return (tag * GOLDEN_RATIO) >>> (Integer.SIZE - bits);
  }

  private static int tag(long hash) {
    return (int) ((hash >>> 32) ^ hash);
  }
}
