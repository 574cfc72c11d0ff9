package io.pagelift.restorer.memory;

import io.pagelift.common.PageRun;
import io.pagelift.linux.Constants;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * The calls by which a process reads its pages from segment files, handed out piece by piece to whoever runs them.
 *
 * <p>One {@code preadv} takes neighbouring pages of a segment, whatever mappings they belong to, because the store keeps pages in
 * (process, address) order. Before it, longer stretches of memory are given pages by {@code MADV_POPULATE_WRITE}: that is half
 * the price of a fault for each page in the middle of the copy. (Kernels before 5.14 do not know it; then the copy faults.) Both go
 * by 1 MiB, so that what was just zeroed is still in the cache when it is overwritten.
 */
final class PageReads {
  private static final int UNIT_PAGES = 256;

  /** Below this the call costs more than it saves. */
  private static final int POPULATED_PAGES = 8;

  /** What one batch reads at most, so that it ends within its bound from a slow disk too. */
  private static final int BATCH_UNITS = 32;

  private static final int VECTOR_BYTES = 16;
  private static final int UNIT_CALLS = UNIT_PAGES / POPULATED_PAGES + 1;
  private static final int UNIT_DATA_BYTES = (UNIT_PAGES + 1) * VECTOR_BYTES;

  private final PlaceList places;
  private final Map<Integer, Integer> fileNumbers;
  private int index;
  private int pagesDone;

  /**
   * The reads of all these places.
   *
   * @param fileNumbers the descriptor of each segment's file in the process
   */
  PageReads(PlaceList places, Map<Integer, Integer> fileNumbers) {
    this.places = places;
    this.fileNumbers = fileNumbers;
  }

  /** Whether everything has been handed out. */
  boolean exhausted() {
    return index == places.size();
  }

  /** Queues the next piece, which fits one batch if nothing else is queued. */
  void queue(RemoteCalls calls) {
    for (int i = 0; i < BATCH_UNITS && !exhausted() && calls.room(UNIT_CALLS, UNIT_DATA_BYTES); i++) {
      queueUnit(calls);
    }
  }

  private void queueUnit(RemoteCalls calls) {
    int file = fileNumbers.get(places.segment(index));
    long offset = (places.segmentPage(index) + pagesDone) * PageRun.PAGE_BYTES;
    ByteBuffer vectors = ByteBuffer.allocate(UNIT_PAGES * VECTOR_BYTES).order(ByteOrder.nativeOrder());
    int pages = 0;
    boolean follows = true;
    while (follows && pages < UNIT_PAGES) {
      int count = Math.min(places.pageCount(index) - pagesDone, UNIT_PAGES - pages);
      long address = (places.firstPage(index) + pagesDone) * PageRun.PAGE_BYTES;
      long length = (long) count * PageRun.PAGE_BYTES;
      if (count >= POPULATED_PAGES) {
        calls.addOptional(SyscallNumbers.MADVISE, address, length, Constants.MADV_POPULATE_WRITE);
      }
      vectors.putLong(address).putLong(length);
      pages += count;
      follows = advance(count);
    }
    byte[] used = new byte[vectors.position()];
    vectors.get(0, used);
    long bytes = (long) pages * PageRun.PAGE_BYTES;
    long table = calls.data(used);
    calls.addExpecting("read pages", bytes, SyscallNumbers.PREADV, file, table, used.length / VECTOR_BYTES, offset, 0);
  }

  /** Goes on by some pages of one place; returns whether the next page lies in the store right behind them. */
  private boolean advance(int count) {
    pagesDone += count;
    if (pagesDone < places.pageCount(index)) {
      return true;
    }
    pagesDone = 0;
    index++;
    return index < places.size() && places.follows(index);
  }
}
