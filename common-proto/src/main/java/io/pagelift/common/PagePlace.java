package io.pagelift.common;

/**
 * Where the contents of a run of pages lie in the store.
 *
 * @param firstPage number of the first page in its object
 * @param pageCount pages in the run, at least 1
 * @param segment number of the segment file; {@link #ZERO_SEGMENT} for pages that are all zero and stored nowhere
 * @param segmentPage index of the first page inside the segment; 0 for zero pages
 */
public record PagePlace(long firstPage, int pageCount, int segment, long segmentPage) {
  /** The segment number that stands for "all zero". */
  public static final int ZERO_SEGMENT = 0;

  /** Whether these pages are all zero and have no bytes in any segment. */
  public boolean zero() {
    return segment == ZERO_SEGMENT;
  }

  /** Number of the page after the last one. */
  public long endPage() {
    return firstPage + pageCount;
  }
}
