package io.pagelift.common;

import java.util.Arrays;

/**
 * An immutable set of page numbers as ascending runs that neither overlap nor touch.
 *
 * <p>Kept as two arrays of longs, 16 bytes a run, because a large process has hundreds of thousands of runs.
 */
public final class PageRuns {
  /** Receives runs in ascending order. */
  @FunctionalInterface
  public interface RunConsumer {
    /** Takes the pages {@code firstPage <= page < endPage}. */
    void run(long firstPage, long endPage);
  }

  private static final PageRuns EMPTY = new PageRuns(new long[0], new long[0]);

  private final long[] first;
  private final long[] end;

  private PageRuns(long[] first, long[] end) {
    this.first = first;
    this.end = end;
  }

  /** The set without pages. */
  public static PageRuns empty() {
    return EMPTY;
  }

  /** The pages {@code firstPage <= page < endPage}. */
  public static PageRuns of(long firstPage, long endPage) {
    return new Builder().add(firstPage, endPage).build();
  }

  /** Number of runs. */
  public int runCount() {
    return first.length;
  }

  /** Number of pages. */
  public long pageCount() {
    long pages = 0;
    for (int i = 0; i < first.length; i++) {
      pages += end[i] - first[i];
    }
    return pages;
  }

  /** Whether there is no page. */
  public boolean isEmpty() {
    return first.length == 0;
  }

  /** First page of run {@code index}. */
  public long firstPage(int index) {
    return first[index];
  }

  /** The page after the last one of run {@code index}. */
  public long endPage(int index) {
    return end[index];
  }

  /** Index of the first run that ends after {@code page}: the one that holds it or the next one; {@link #runCount} if none. */
  public int indexFrom(long page) {
    int at = Arrays.binarySearch(end, page);
    return at >= 0 ? at + 1 : -at - 1;
  }

  /** Whether the page is in the set. */
  public boolean contains(long page) {
    int index = indexFrom(page);
    return index < first.length && first[index] <= page;
  }

  /** Whether all pages {@code firstPage <= page < endPage} are in the set; true for an empty range. */
  public boolean containsAll(long firstPage, long endPage) {
    if (firstPage >= endPage) {
      return true;
    }
    int index = indexFrom(firstPage);
    return index < first.length && first[index] <= firstPage && end[index] >= endPage;
  }

  /** Calls the consumer with each run, ascending. */
  public void forEach(RunConsumer consumer) {
    for (int i = 0; i < first.length; i++) {
      consumer.run(first[i], end[i]);
    }
  }

  /** Calls the consumer with the part of each run that lies in {@code firstPage <= page < endPage}, ascending. */
  public void forEachWithin(long firstPage, long endPage, RunConsumer consumer) {
    for (int i = indexFrom(firstPage); i < first.length && first[i] < endPage; i++) {
      consumer.run(Math.max(first[i], firstPage), Math.min(end[i], endPage));
    }
  }

  /** The pages of this set or the other. */
  public PageRuns union(PageRuns other) {
    Builder builder = new Builder();
    forEach(builder::add);
    other.forEach(builder::add);
    return builder.build();
  }

  /** The pages of both sets. */
  public PageRuns intersection(PageRuns other) {
    Builder builder = new Builder();
    forEach((from, to) -> other.forEachWithin(from, to, builder::add));
    return builder.build();
  }

  /** The pages of this set that are not in the other. */
  public PageRuns minus(PageRuns other) {
    Builder builder = new Builder();
    for (int i = 0; i < first.length; i++) {
      long at = first[i];
      for (int j = other.indexFrom(at); j < other.first.length && other.first[j] < end[i]; j++) {
        builder.add(at, Math.max(at, other.first[j]));
        at = Math.min(end[i], other.end[j]);
      }
      builder.add(at, end[i]);
    }
    return builder.build();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PageRuns runs && Arrays.equals(first, runs.first) && Arrays.equals(end, runs.end);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(first) + Arrays.hashCode(end);
  }

  @Override
  public String toString() {
    return "PageRuns[" + runCount() + " runs, " + pageCount() + " pages]";
  }

  /** Collects runs in any order, overlapping or not. Ascending input costs no sorting. */
  public static final class Builder {
    private long[] first = new long[16];
    private long[] end = new long[16];
    private int count;
    private boolean sorted = true;

    /** Adds the pages {@code firstPage <= page < endPage}; an empty range is ignored. */
    public Builder add(long firstPage, long endPage) {
      if (firstPage >= endPage) {
        return this;
      }
      if (firstPage < 0 || endPage > PageRun.PAGE_LIMIT) {
        throw new IllegalArgumentException("pages out of range: " + firstPage + " to " + endPage);
      }
      if (count > 0 && sorted && firstPage >= first[count - 1] && firstPage <= end[count - 1]) {
        end[count - 1] = Math.max(end[count - 1], endPage);
        return this;
      }
      sorted = sorted && (count == 0 || firstPage > end[count - 1]);
      if (count == first.length) {
        first = Arrays.copyOf(first, count * 2);
        end = Arrays.copyOf(end, count * 2);
      }
      first[count] = firstPage;
      end[count++] = endPage;
      return this;
    }

    /** The set of everything added so far. */
    public PageRuns build() {
      if (count == 0) {
        return EMPTY;
      }
      if (!sorted) {
        normalise();
      }
      return new PageRuns(Arrays.copyOf(first, count), Arrays.copyOf(end, count));
    }

    private void normalise() {
      Integer[] order = new Integer[count];
      Arrays.setAll(order, i -> i);
      Arrays.sort(order, (a, b) -> Long.compare(first[a], first[b]));
      long[] sortedFirst = new long[count];
      long[] sortedEnd = new long[count];
      int kept = 0;
      for (int i : order) {
        if (kept > 0 && first[i] <= sortedEnd[kept - 1]) {
          sortedEnd[kept - 1] = Math.max(sortedEnd[kept - 1], end[i]);
        } else {
          sortedFirst[kept] = first[i];
          sortedEnd[kept++] = end[i];
        }
      }
      first = sortedFirst;
      end = sortedEnd;
      count = kept;
      sorted = true;
    }
  }
}
