package io.pagelift.pageserver.store;

import java.util.Arrays;

/** The places that one round appended: ascending ranges, since the log only grows. Tells a round's own pages from earlier ones. */
final class PlaceRanges {
  private long[] first = new long[8];
  private long[] end = new long[8];
  private int size;

  /** Adds neighbouring places that lie behind all added before. */
  void add(long place, int pageCount) {
    if (size > 0 && end[size - 1] == place) {
      end[size - 1] += pageCount;
      return;
    }
    if (size == first.length) {
      first = Arrays.copyOf(first, size * 2);
      end = Arrays.copyOf(end, size * 2);
    }
    first[size] = place;
    end[size++] = place + pageCount;
  }

  boolean contains(long place) {
    int at = Arrays.binarySearch(first, 0, size, place);
    int range = at >= 0 ? at : -at - 2;
    return range >= 0 && place < end[range];
  }
}
