package io.pagelift.restorer.memory;

import io.pagelift.common.PagePlace;
import java.util.Arrays;

/**
 * Places of pages, ascending, in 24 bytes each: a large process that wrote here and there has a million of them.
 *
 * <p>None is longer than {@link #MAX_PAGES}: it is the unit of reading, and a process that is killed while it reads ends only
 * when the read is done.
 */
final class PlaceList {
  /** 16 MiB: long enough that the calls cost nothing, short enough that a killed process is gone within milliseconds. */
  static final int MAX_PAGES = 4096;

  private long[] firstPages = new long[64];
  private long[] segmentPages = new long[64];
  private int[] pageCounts = new int[64];
  private int[] segments = new int[64];
  private int size;

  /** Adds pages behind all others. */
  void add(long firstPage, long pageCount, int segment, long segmentPage) {
    for (long done = 0; done < pageCount; done += MAX_PAGES) {
      grow();
      firstPages[size] = firstPage + done;
      segmentPages[size] = segmentPage + (segment == PagePlace.ZERO_SEGMENT ? 0 : done);
      pageCounts[size] = (int) Math.min(MAX_PAGES, pageCount - done);
      segments[size++] = segment;
    }
  }

  private void grow() {
    if (size == firstPages.length) {
      int capacity = size + (size >> 1);
      firstPages = Arrays.copyOf(firstPages, capacity);
      segmentPages = Arrays.copyOf(segmentPages, capacity);
      pageCounts = Arrays.copyOf(pageCounts, capacity);
      segments = Arrays.copyOf(segments, capacity);
    }
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  long firstPage(int index) {
    return firstPages[index];
  }

  int pageCount(int index) {
    return pageCounts[index];
  }

  int segment(int index) {
    return segments[index];
  }

  long segmentPage(int index) {
    return segmentPages[index];
  }

  PagePlace place(int index) {
    return new PagePlace(firstPages[index], pageCounts[index], segments[index], segmentPages[index]);
  }

  /** Whether the pages at {@code index} lie in the store right behind those before them. */
  boolean follows(int index) {
    return segments[index] == segments[index - 1]
        && segmentPages[index] == segmentPages[index - 1] + pageCounts[index - 1];
  }

  /** Whether any page lies in {@code first <= page < end}. */
  boolean touches(long first, long end) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (firstPages[middle] + pageCounts[middle] <= first) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < size && firstPages[low] < end;
  }
}
