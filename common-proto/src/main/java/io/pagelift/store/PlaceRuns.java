package io.pagelift.store;

import java.util.Arrays;

/**
 * The pages that are held for one object, merged over rounds, with the place of each: ascending, disjoint runs, each a
 * stretch of neighbouring pages that lie in neighbouring places. Immutable; 20 bytes per run.
 *
 * <p>Page numbers are virtual address / 4096 for address spaces and byte offset / 4096 for other objects.
 */
public final class PlaceRuns {
  /** The segment of pages that are all zero and stored nowhere. */
  public static final int ZERO_SEGMENT = 0;

  private static final PlaceRuns NONE = new PlaceRuns(new long[0], new int[0], new long[0], 0);

  private final long[] firstPages;
  private final int[] pageCounts;
  private final long[] places;
  private final int size;
  private final long totalPages;

  PlaceRuns(long[] firstPages, int[] pageCounts, long[] places, int size) {
    this.firstPages = firstPages;
    this.pageCounts = pageCounts;
    this.places = places;
    this.size = size;
    long total = 0;
    for (int i = 0; i < size; i++) {
      total += pageCounts[i];
    }
    this.totalPages = total;
  }

  /** No pages. */
  public static PlaceRuns none() {
    return NONE;
  }

  /** Number of runs. */
  public int size() {
    return size;
  }

  /** Number of pages in all runs. */
  public long totalPages() {
    return totalPages;
  }

  /** First page of run {@code run}, 0 to size - 1. */
  public long firstPage(int run) {
    return firstPages[checked(run)];
  }

  /** Number of pages of a run, at least 1. */
  public int pageCount(int run) {
    return pageCounts[checked(run)];
  }

  /** The segment that holds a run, {@link #ZERO_SEGMENT} when its pages are all zero. */
  public int segment(int run) {
    return Place.segment(places[checked(run)]);
  }

  /** Index of the run's first page in its segment (byte offset / 4096); 0 for zero pages. */
  public long segmentPage(int run) {
    return Place.segmentPage(places[checked(run)]);
  }

  /** The run that contains a page, or -1 when the page is not held. */
  public int indexOf(long page) {
    int at = Arrays.binarySearch(firstPages, 0, size, page);
    if (at >= 0) {
      return at;
    }
    int before = -at - 2;
    return before >= 0 && page - firstPages[before] < pageCounts[before] ? before : -1;
  }

  /** Whether a page is held. */
  public boolean contains(long page) {
    return indexOf(page) >= 0;
  }

  private int checked(int run) {
    if (run < 0 || run >= size) {
      throw new IndexOutOfBoundsException("run " + run + " of " + size);
    }
    return run;
  }

  @Override
  public String toString() {
    return "PlaceRuns[runs=" + size + ", pages=" + totalPages + "]";
  }
}
