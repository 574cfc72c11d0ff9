package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;

/**
 * The ranges of one batch: up to 256 pages of a set, in ascending order, as the vectors of one process_vm_readv call.
 *
 * <p>Kept in two arrays that are filled again for each batch: planning allocates nothing.
 */
public final class ReadPlan {
  final long[] addresses = new long[PageChannel.BATCH_PAGES];
  final int[] lengths = new int[PageChannel.BATCH_PAGES];
  private int count;
  private int pageCount;

  /** Takes the members of {@code wanted} from {@code fromPage} on, below {@code endPage}, until the batch is full. */
  public void fill(PageSet wanted, long fromPage, long endPage) {
    count = 0;
    pageCount = 0;
    long page = wanted.nextMember(fromPage);
    while (page >= 0 && page < endPage && pageCount < PageChannel.BATCH_PAGES) {
      long stop = wanted.nextAbsent(page, Math.min(endPage, page + PageChannel.BATCH_PAGES - pageCount));
      addresses[count] = page * PageRun.PAGE_BYTES;
      lengths[count++] = (int) (stop - page) * PageRun.PAGE_BYTES;
      pageCount += (int) (stop - page);
      page = wanted.nextMember(stop);
    }
  }

  /** Ranges in the plan. */
  public int count() {
    return count;
  }

  /** Address (or offset) of range {@code index}, in bytes. */
  public long address(int index) {
    return addresses[index];
  }

  /** Length of range {@code index}, in bytes. */
  public int length(int index) {
    return lengths[index];
  }

  /** Pages in the plan. */
  public int pageCount() {
    return pageCount;
  }

  /** Number of the page after the last planned one. */
  public long endPage() {
    return (addresses[count - 1] + lengths[count - 1]) / PageRun.PAGE_BYTES;
  }

  /** Number of the planned page {@code index}, counted from 0. */
  long page(int index) {
    long skipBytes = (long) index * PageRun.PAGE_BYTES;
    for (int i = 0; i < count; i++) {
      if (skipBytes < lengths[i]) {
        return (addresses[i] + skipBytes) / PageRun.PAGE_BYTES;
      }
      skipBytes -= lengths[i];
    }
    throw new IndexOutOfBoundsException(index);
  }
}
