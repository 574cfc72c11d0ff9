package io.pagelift.pageserver.store;

/**
 * A stored page as one int, for the deduplication table: 14 bits of segment, 18 bits of page. Room for 16 TiB; pages of later
 * segments are stored but not found again. 0 is no page, since segments count from 1.
 */
final class GlobalPage {
  /** No page. */
  static final int NONE = 0;

  /** Most pages that a segment written by this program has: 1 GiB. */
  static final int PAGES_PER_SEGMENT = 1 << 18;

  private static final int PAGE_BITS = 18;
  private static final int MAX_SEGMENT = (1 << 14) - 1;

  private GlobalPage() {}

  /** The page's number, or {@link #NONE} when it has none. */
  static int of(int segment, int page) {
    return segment <= MAX_SEGMENT ? (segment << PAGE_BITS) | page : NONE;
  }

  static int segment(int globalPage) {
    return globalPage >>> PAGE_BITS;
  }

  static int page(int globalPage) {
    return globalPage & (PAGES_PER_SEGMENT - 1);
  }
}
