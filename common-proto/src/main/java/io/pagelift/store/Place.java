package io.pagelift.store;

/**
 * Where a page lies, packed into one long: segment in the upper half, page index in the lower. Neighbouring places differ by
 * one, so a run needs the place of its first page only.
 */
public final class Place {
  /** The page is all zero and stored nowhere. */
  public static final long ZERO = 0;

  /** The page is no longer held. */
  public static final long DROP = -1;

  private Place() {}

  /** The place of a page in a segment; segments count from 1, pages from 0. */
  public static long of(int segment, long segmentPage) {
    if (segment < 1 || segmentPage < 0 || segmentPage > 0xffff_ffffL) {
      throw new IllegalArgumentException("no such place: segment " + segment + ", page " + segmentPage);
    }
    return (long) segment << 32 | segmentPage;
  }

  /** The segment, 0 for {@link #ZERO}. */
  public static int segment(long place) {
    return (int) (place >>> 32);
  }

  /** The page index inside the segment. */
  public static long segmentPage(long place) {
    return place & 0xffff_ffffL;
  }

  /** Whether bytes are stored for it. */
  public static boolean isData(long place) {
    return place > 0;
  }

  /** The place {@code pages} further on in the same run: the same for zero and dropped pages. */
  public static long plus(long place, long pages) {
    return place > 0 ? place + pages : place;
  }
}
