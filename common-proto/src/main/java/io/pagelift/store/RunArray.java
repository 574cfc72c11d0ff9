package io.pagelift.store;

import java.util.Arrays;

/** Ascending, disjoint runs in primitive arrays; neighbours that continue each other are one run. Grows at the end only. */
final class RunArray {
  private long[] firstPages = new long[16];
  private int[] pageCounts = new int[16];
  private long[] places = new long[16];
  private int size;

  int size() {
    return size;
  }

  /** The page after the last one; 0 when empty. */
  long endPage() {
    return size == 0 ? 0 : firstPages[size - 1] + pageCounts[size - 1];
  }

  /** Appends a run that begins at {@link #endPage()} or later. */
  void append(long firstPage, int pageCount, long place) {
    if (size > 0) {
      int last = size - 1;
      int count = pageCounts[last];
      boolean neighbour = firstPages[last] + count == firstPage && Place.plus(places[last], count) == place;
      if (neighbour && count <= Integer.MAX_VALUE - pageCount) {
        pageCounts[last] = count + pageCount;
        return;
      }
    }
    if (size == firstPages.length) {
      grow(size + (size >> 1));
    }
    firstPages[size] = firstPage;
    pageCounts[size] = pageCount;
    places[size] = place;
    size++;
  }

  /** All of {@code younger}, and of {@code older} what lies between. */
  static RunArray merge(RunArray older, RunArray younger) {
    RunArray merged = new RunArray();
    merged.grow(Math.max(16, older.size + younger.size));
    int at = 0;
    long doneUntil = 0;
    for (int i = 0; i < younger.size; i++) {
      at = merged.copy(older, at, doneUntil, younger.firstPages[i]);
      merged.append(younger.firstPages[i], younger.pageCounts[i], younger.places[i]);
      doneUntil = younger.firstPages[i] + younger.pageCounts[i];
    }
    merged.copy(older, at, doneUntil, Long.MAX_VALUE);
    return merged;
  }

  /**
   * Appends the parts of {@code source}'s runs, from run {@code at} on, that lie in pages {@code from} (inclusive) to {@code
   * until} (exclusive). Returns the first run that is not used up.
   */
  private int copy(RunArray source, int at, long from, long until) {
    int run = at;
    while (run < source.size && source.firstPages[run] < until) {
      long first = source.firstPages[run];
      long end = first + source.pageCounts[run];
      long begin = Math.max(first, from);
      long stop = Math.min(end, until);
      if (begin < stop) {
        append(begin, (int) (stop - begin), Place.plus(source.places[run], begin - first));
      }
      if (end > until) {
        return run;
      }
      run++;
    }
    return run;
  }

  PlaceRuns withoutDrops() {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (places[i] != Place.DROP) {
        firstPages[kept] = firstPages[i];
        pageCounts[kept] = pageCounts[i];
        places[kept] = places[i];
        kept++;
      }
    }
    return new PlaceRuns(
        Arrays.copyOf(firstPages, kept), Arrays.copyOf(pageCounts, kept), Arrays.copyOf(places, kept), kept);
  }

  private void grow(int capacity) {
    firstPages = Arrays.copyOf(firstPages, capacity);
    pageCounts = Arrays.copyOf(pageCounts, capacity);
    places = Arrays.copyOf(places, capacity);
  }
}
