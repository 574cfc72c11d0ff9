package io.pagelift.store;

/**
 * The pages that are held for one object, merged over rounds, with the place of each: ascending, disjoint runs, each a
 * stretch of neighbouring pages that lie in neighbouring places. Immutable; 20 bytes per run.
 *
 * <p>Page numbers are virtual address / 4096 for address spaces and byte offset / 4096 for other objects.
 */
public final class PlaceRuns {
  /** The segment of pages that are all zero and stored nowhere. */
  public static final int ZERO_SEGMENT = 0;

  private static final PlaceRuns NONE = new PlaceRuns(new RunArray());

  private final RunArray runs;

  PlaceRuns(RunArray runs) {
    this.runs = runs;
  }

  /** No pages. */
  public static PlaceRuns none() {
    return NONE;
  }

  /** Number of runs. */
  public int size() {
    return runs.size();
  }

  /** Number of pages in all runs. */
  public long totalPages() {
    return runs.totalPages();
  }

  /** First page of run {@code run}, 0 to size - 1. */
  public long firstPage(int run) {
    return runs.firstPage(checked(run));
  }

  /** Number of pages of a run, at least 1. */
  public int pageCount(int run) {
    return runs.pageCount(checked(run));
  }

  /** The segment that holds a run, {@link #ZERO_SEGMENT} when its pages are all zero. */
  public int segment(int run) {
    return Place.segment(runs.place(checked(run)));
  }

  /** Index of the run's first page in its segment (byte offset / 4096); 0 for zero pages. */
  public long segmentPage(int run) {
    return Place.segmentPage(runs.place(checked(run)));
  }

  /** The run that contains a page, or -1 when the page is not held. */
  public int indexOf(long page) {
    int low = 0;
    int high = runs.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long first = runs.firstPage(middle);
      if (page < first) {
        high = middle - 1;
      } else if (page - first >= runs.pageCount(middle)) {
        low = middle + 1;
      } else {
        return middle;
      }
    }
    return -1;
  }

  /** Whether a page is held. */
  public boolean contains(long page) {
    return indexOf(page) >= 0;
  }

  private int checked(int run) {
    if (run < 0 || run >= runs.size()) {
      throw new IndexOutOfBoundsException("run " + run + " of " + runs.size());
    }
    return run;
  }

  @Override
  public String toString() {
    return "PlaceRuns[runs=" + size() + ", pages=" + totalPages() + "]";
  }
}
