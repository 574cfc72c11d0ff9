package io.pagelift.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Ascending, disjoint runs in primitive arrays of 4096 runs each, 20 bytes per run; neighbours that continue each other are one
 * run. Grows at the end only. In chunks, because merging two can then let go of each chunk as it is used up: a million runs are
 * never in memory twice.
 */
final class RunArray {
  private static final int CHUNK_BITS = 12;
  private static final int CHUNK_RUNS = 1 << CHUNK_BITS;
  private static final int FIRST_CHUNK_RUNS = 16;
  private static final Chunk NO_CHUNK = new Chunk(0);

  private static final class Chunk {
    private long[] firstPages;
    private int[] pageCounts;
    private long[] places;

    Chunk(int runs) {
      firstPages = new long[runs];
      pageCounts = new int[runs];
      places = new long[runs];
    }

    void put(int at, long firstPage, int pageCount, long place) {
      if (at == firstPages.length) {
        firstPages = Arrays.copyOf(firstPages, at * 2);
        pageCounts = Arrays.copyOf(pageCounts, at * 2);
        places = Arrays.copyOf(places, at * 2);
      }
      firstPages[at] = firstPage;
      pageCounts[at] = pageCount;
      places[at] = place;
    }
  }

  private final List<Chunk> chunks = new ArrayList<>();
  private int size;
  private long totalPages;
  private long endPage;
  private long nextPlace = Long.MIN_VALUE;

  int size() {
    return size;
  }

  /** The page after the last one; 0 when empty. */
  long endPage() {
    return endPage;
  }

  /** Pages in all runs. */
  long totalPages() {
    return totalPages;
  }

  long firstPage(int run) {
    return chunks.get(run >>> CHUNK_BITS).firstPages[run & (CHUNK_RUNS - 1)];
  }

  int pageCount(int run) {
    return chunks.get(run >>> CHUNK_BITS).pageCounts[run & (CHUNK_RUNS - 1)];
  }

  long place(int run) {
    return chunks.get(run >>> CHUNK_BITS).places[run & (CHUNK_RUNS - 1)];
  }

  /** Appends a run that begins at {@link #endPage()} or later. */
  void append(long firstPage, int pageCount, long place) {
    boolean continues = size > 0 && firstPage == endPage && place == nextPlace;
    int last = size - 1;
    if (continues && pageCount(last) <= Integer.MAX_VALUE - pageCount) {
      chunks.get(last >>> CHUNK_BITS).pageCounts[last & (CHUNK_RUNS - 1)] += pageCount;
    } else {
      int at = size & (CHUNK_RUNS - 1);
      if (at == 0) {
        chunks.add(new Chunk(size == 0 ? FIRST_CHUNK_RUNS : CHUNK_RUNS));
      }
      chunks.get(size >>> CHUNK_BITS).put(at, firstPage, pageCount, place);
      size++;
    }
    totalPages += pageCount;
    endPage = firstPage + pageCount;
    nextPlace = Place.plus(place, pageCount);
  }

  /** All of {@code younger}, and of {@code older} what lies between. Both are used up: they must not be used again. */
  static RunArray merge(RunArray older, RunArray younger) {
    RunArray merged = new RunArray();
    int at = 0;
    long doneUntil = 0;
    for (int i = 0; i < younger.size; i++) {
      long first = younger.firstPage(i);
      at = merged.copy(older, at, doneUntil, first);
      merged.append(first, younger.pageCount(i), younger.place(i));
      doneUntil = merged.endPage;
      younger.release(i);
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
    while (run < source.size && source.firstPage(run) < until) {
      long first = source.firstPage(run);
      long end = first + source.pageCount(run);
      long begin = Math.max(first, from);
      long stop = Math.min(end, until);
      if (begin < stop) {
        append(begin, (int) (stop - begin), Place.plus(source.place(run), begin - first));
      }
      if (end > until) {
        return run;
      }
      source.release(run);
      run++;
    }
    return run;
  }

  /** Run {@code run} and those before it are needed no more. */
  private void release(int run) {
    if ((run & (CHUNK_RUNS - 1)) == CHUNK_RUNS - 1) {
      chunks.set(run >>> CHUNK_BITS, NO_CHUNK);
    }
  }

  /** The runs that are held. This array is used up. */
  RunArray withoutDrops() {
    RunArray kept = new RunArray();
    for (int run = 0; run < size; run++) {
      if (place(run) != Place.DROP) {
        kept.append(firstPage(run), pageCount(run), place(run));
      }
      release(run);
    }
    return kept;
  }
}
