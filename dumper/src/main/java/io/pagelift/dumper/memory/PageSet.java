package io.pagelift.dumper.memory;

import java.util.Arrays;

/**
 * A set of page numbers, compact whatever its shape.
 *
 * <p>The set is cut into chunks of 4096 pages (16 MiB of address space); a chunk is a bitmap of 64 words, and a chunk that is
 * full shares one constant bitmap. Runs of (first, last) would be smaller for a few large areas, but cost 16 bytes for every
 * page of the worst case, a large heap in which every second page was written; here that case takes one bit for a page: 32 MiB
 * for each TiB of address space that has any member. That is what keeps the dumper's own memory bounded.
 *
 * <p>Page numbers are virtual address / 4096 or byte offset / 4096, from 0 to 2^51 - 1. Not thread-safe.
 */
public final class PageSet {
  /** Consumes the maximal runs of a set in ascending order. */
  @FunctionalInterface
  public interface RunConsumer {
    /** Called with a run of {@code pageCount} pages, the first of which is {@code firstPage}. */
    void run(long firstPage, long pageCount);
  }

  private static final int CHUNK_SHIFT = 12;
  private static final long CHUNK_PAGES = 1L << CHUNK_SHIFT;
  private static final int CHUNK_WORDS = (int) (CHUNK_PAGES / Long.SIZE);
  private static final long[] FULL = fullChunk();

  private long[] keys = new long[8];
  private long[][] chunks = new long[8][];
  private int chunkCount;
  private long pageCount;

  private static long[] fullChunk() {
    long[] full = new long[CHUNK_WORDS];
    Arrays.fill(full, -1L);
    return full;
  }

  /** An independent copy. */
  public PageSet copy() {
    PageSet copy = new PageSet();
    copy.keys = Arrays.copyOf(keys, Math.max(8, chunkCount));
    copy.chunks = new long[copy.keys.length][];
    for (int i = 0; i < chunkCount; i++) {
      copy.chunks[i] = chunks[i] == FULL ? FULL : chunks[i].clone();
    }
    copy.chunkCount = chunkCount;
    copy.pageCount = pageCount;
    return copy;
  }

  /** Number of pages in the set. */
  public long pageCount() {
    return pageCount;
  }

  /** Whether the set has no member. */
  public boolean isEmpty() {
    return pageCount == 0;
  }

  /** Whether {@code page} is a member. */
  public boolean contains(long page) {
    int at = find(page >>> CHUNK_SHIFT);
    return at >= 0 && ((chunks[at][word(page)] >>> page) & 1) != 0;
  }

  /** Adds pages {@code first} (inclusive) to {@code end} (exclusive). */
  public void add(long first, long end) {
    long page = first;
    while (page < end) {
      long stop = Math.min(end, (page | (CHUNK_PAGES - 1)) + 1);
      int at = findOrInsert(page >>> CHUNK_SHIFT);
      if (stop - page == CHUNK_PAGES) {
        pageCount += CHUNK_PAGES - cardinality(chunks[at]);
        chunks[at] = FULL;
      } else if (chunks[at] != FULL) {
        fill(chunks[at], (int) (page & (CHUNK_PAGES - 1)), (int) (stop - page), true);
      }
      page = stop;
    }
  }

  /** Removes pages {@code first} (inclusive) to {@code end} (exclusive); members or not. */
  public void remove(long first, long end) {
    if (first >= end) {
      return;
    }
    int at = find(first >>> CHUNK_SHIFT);
    at = at >= 0 ? at : -at - 1;
    int kept = at;
    long lastKey = (end - 1) >>> CHUNK_SHIFT;
    int i = at;
    for (; i < chunkCount && keys[i] <= lastKey; i++) {
      long base = keys[i] << CHUNK_SHIFT;
      long from = Math.max(first, base);
      long to = Math.min(end, base + CHUNK_PAGES);
      if (to - from == CHUNK_PAGES) {
        pageCount -= cardinality(chunks[i]);
        continue;
      }
      fill(writable(i), (int) (from - base), (int) (to - from), false);
      keys[kept] = keys[i];
      chunks[kept++] = chunks[i];
    }
    closeGap(kept, i);
  }

  /** Adds every member of {@code other}. */
  public void addAll(PageSet other) {
    other.forEachRun((first, count) -> add(first, first + count));
  }

  /** Removes every member of {@code other}. */
  public void removeAll(PageSet other) {
    for (int i = 0; i < other.chunkCount; i++) {
      int at = find(other.keys[i]);
      if (at >= 0) {
        long[] mine = writable(at);
        pageCount -= cardinality(mine);
        for (int w = 0; w < CHUNK_WORDS; w++) {
          mine[w] &= ~other.chunks[i][w];
        }
        pageCount += cardinality(mine);
      }
    }
  }

  /** Keeps only the members that {@code other} has too. */
  public void retainAll(PageSet other) {
    int kept = 0;
    for (int i = 0; i < chunkCount; i++) {
      int theirs = other.find(keys[i]);
      pageCount -= cardinality(chunks[i]);
      if (theirs < 0) {
        continue;
      }
      long[] mine = writable(i);
      for (int w = 0; w < CHUNK_WORDS; w++) {
        mine[w] &= other.chunks[theirs][w];
      }
      pageCount += cardinality(mine);
      keys[kept] = keys[i];
      chunks[kept++] = mine;
    }
    closeGap(kept, chunkCount);
  }

  /** The first member at or after {@code page}, or -1. */
  public long nextMember(long page) {
    int at = find(page >>> CHUNK_SHIFT);
    int bit = at >= 0 ? (int) (page & (CHUNK_PAGES - 1)) : 0;
    for (int i = at >= 0 ? at : -at - 1; i < chunkCount; i++, bit = 0) {
      int found = nextBit(chunks[i], bit, 0);
      if (found < CHUNK_PAGES) {
        return (keys[i] << CHUNK_SHIFT) + found;
      }
    }
    return -1;
  }

  /** The first page at or after {@code page} that is not a member, looking no further than {@code limit}. */
  public long nextAbsent(long page, long limit) {
    long from = page;
    int at = find(from >>> CHUNK_SHIFT);
    while (from < limit && at >= 0 && at < chunkCount && keys[at] == from >>> CHUNK_SHIFT) {
      int found = nextBit(chunks[at], (int) (from & (CHUNK_PAGES - 1)), -1);
      from = (keys[at] << CHUNK_SHIFT) + found;
      if (found < CHUNK_PAGES) {
        break;
      }
      at++;
    }
    return Math.min(from, limit);
  }

  /** Calls {@code consumer} for each maximal run, ascending. The set must not be changed meanwhile. */
  public void forEachRun(RunConsumer consumer) {
    long page = nextMember(0);
    while (page >= 0) {
      long end = nextAbsent(page, Long.MAX_VALUE);
      consumer.run(page, end - page);
      page = nextMember(end);
    }
  }

  /** Number of members from {@code first} (inclusive) to {@code end} (exclusive). */
  public long countBetween(long first, long end) {
    long count = 0;
    long page = nextMember(first);
    while (page >= 0 && page < end) {
      long stop = nextAbsent(page, end);
      count += stop - page;
      page = nextMember(stop);
    }
    return count;
  }

  private int find(long key) {
    if (chunkCount > 0 && key > keys[chunkCount - 1]) {
      return -chunkCount - 1;
    }
    return Arrays.binarySearch(keys, 0, chunkCount, key);
  }

  private int findOrInsert(long key) {
    int at = find(key);
    if (at >= 0) {
      return at;
    }
    int place = -at - 1;
    if (chunkCount == keys.length) {
      keys = Arrays.copyOf(keys, chunkCount * 2);
      chunks = Arrays.copyOf(chunks, chunkCount * 2);
    }
    System.arraycopy(keys, place, keys, place + 1, chunkCount - place);
    System.arraycopy(chunks, place, chunks, place + 1, chunkCount - place);
    keys[place] = key;
    chunks[place] = new long[CHUNK_WORDS];
    chunkCount++;
    return place;
  }

  private long[] writable(int at) {
    if (chunks[at] == FULL) {
      chunks[at] = FULL.clone();
    }
    return chunks[at];
  }

  private void closeGap(int kept, int next) {
    if (kept == next) {
      return;
    }
    int tail = chunkCount - next;
    System.arraycopy(keys, next, keys, kept, tail);
    System.arraycopy(chunks, next, chunks, kept, tail);
    Arrays.fill(chunks, kept + tail, chunkCount, null);
    chunkCount = kept + tail;
  }

  private void fill(long[] words, int bit, int count, boolean member) {
    int end = bit + count;
    int from = bit;
    while (from < end) {
      int stop = Math.min(end, (from | (Long.SIZE - 1)) + 1);
      long mask = (-1L >>> (Long.SIZE - (stop - from))) << from;
      int w = from / Long.SIZE;
      pageCount -= Long.bitCount(words[w]);
      words[w] = member ? words[w] | mask : words[w] & ~mask;
      pageCount += Long.bitCount(words[w]);
      from = stop;
    }
  }

  private static int word(long page) {
    return (int) (page >>> 6) & (CHUNK_WORDS - 1);
  }

  private static int cardinality(long[] words) {
    if (words == FULL) {
      return (int) CHUNK_PAGES;
    }
    int count = 0;
    for (long word : words) {
      count += Long.bitCount(word);
    }
    return count;
  }

  /** The first bit at or after {@code bit} that differs from {@code skipped} (all zeros or all ones), or CHUNK_PAGES. */
  private static int nextBit(long[] words, int bit, long skipped) {
    int w = bit / Long.SIZE;
    long rest = (words[w] ^ skipped) & (-1L << bit);
    while (rest == 0) {
      if (++w == CHUNK_WORDS) {
        return (int) CHUNK_PAGES;
      }
      rest = words[w] ^ skipped;
    }
    return w * Long.SIZE + Long.numberOfTrailingZeros(rest);
  }
}
