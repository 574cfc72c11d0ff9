package io.pagelift.common;

/**
 * A run of consecutive pages of one object and what is said of them.
 *
 * <p>Page numbers are virtual address / 4096 for an address space and byte offset / 4096 for everything else, so they stay
 * below 2<sup>52</sup>.
 *
 * @param firstPage number of the first page, 0 or more
 * @param pageCount pages in the run, at least 1
 * @param kind what is said of these pages
 */
public record PageRun(long firstPage, int pageCount, Kind kind) {
  /** Bytes in a page; the only page size that Pagelift knows. */
  public static final int PAGE_BYTES = 4096;

  /** The page number after the last one that can exist: 2^64 bytes of address space. */
  public static final long PAGE_LIMIT = 1L << 52;

  /** What a run says of its pages. */
  public enum Kind {
    /** The bytes travel in the payload. */
    DATA,
    /** The page is there and all zero. */
    ZERO,
    /** The page is no longer there: forget what earlier rounds hold. */
    DROP
  }

  /** Checks the ranges; throws {@link IllegalArgumentException}. */
  public PageRun {
    if (firstPage < 0 || firstPage >= PAGE_LIMIT) {
      throw new IllegalArgumentException("first page out of range: " + firstPage);
    }
    if (pageCount < 1 || pageCount > PAGE_LIMIT - firstPage) {
      throw new IllegalArgumentException("page count out of range: " + pageCount + " from page " + firstPage);
    }
  }

  /** A run whose bytes travel in the payload. */
  public static PageRun data(long firstPage, int pageCount) {
    return new PageRun(firstPage, pageCount, Kind.DATA);
  }

  /** A run of pages that are all zero. */
  public static PageRun zero(long firstPage, int pageCount) {
    return new PageRun(firstPage, pageCount, Kind.ZERO);
  }

  /** A run of pages that are no longer there. */
  public static PageRun drop(long firstPage, int pageCount) {
    return new PageRun(firstPage, pageCount, Kind.DROP);
  }

  /** Number of the page after the last one. */
  public long endPage() {
    return firstPage + pageCount;
  }

  /** Bytes of these pages, whether or not they travel. */
  public long lengthBytes() {
    return (long) pageCount * PAGE_BYTES;
  }
}
