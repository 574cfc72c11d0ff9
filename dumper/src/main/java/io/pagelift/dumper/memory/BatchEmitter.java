package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns a buffer full of pages into runs and sends it. Pages that are all zero travel as ZERO runs; the others close ranks in the
 * buffer, so that the payload has no gaps.
 */
public final class BatchEmitter {
  private static final int PAGE_BYTES = PageRun.PAGE_BYTES;

  private final PageChannel channel;
  private final long objectId;
  private final PageFilter filter;
  private List<PageRun> runs = new ArrayList<>();
  private long runFirst;
  private int runLength;
  private boolean runZero;
  private long dataPages;
  private long zeroPages;
  private long filteredPages;

  /** An emitter for one object. */
  public BatchEmitter(PageChannel channel, long objectId, PageFilter filter) {
    this.channel = channel;
    this.objectId = objectId;
    this.filter = filter;
  }

  /** Pages that the filter held back. */
  public long filteredPages() {
    return filteredPages;
  }

  /** Pages sent with their contents so far. */
  public long dataPages() {
    return dataPages;
  }

  /** Pages sent as zero so far. */
  public long zeroPages() {
    return zeroPages;
  }

  /** Sends the first {@code pages} pages of the plan, whose bytes are in {@code batch}; takes the buffer over. */
  public void emit(ReadPlan plan, int pages, PageChannel.Batch batch) {
    ByteBuffer bytes = batch.bytes();
    int at = 0;
    int kept = 0;
    for (int range = 0; at < pages; range++) {
      long first = plan.addresses[range] / PAGE_BYTES;
      int length = Math.min(plan.lengths[range] / PAGE_BYTES, pages - at);
      for (int i = 0; i < length; i++, at++) {
        if (filter.mustSend(first + i, batch.address() + (long) at * PAGE_BYTES)) {
          kept += place(bytes, first + i, at, kept);
        } else {
          filteredPages++;
          closeRun();
        }
      }
    }
    closeRun();
    List<PageRun> sent = runs;
    runs = new ArrayList<>();
    if (kept == 0) {
      batch.release();
      if (!sent.isEmpty()) {
        channel.send(objectId, sent);
      }
    } else {
      channel.send(objectId, sent, batch);
    }
  }

  private int place(ByteBuffer bytes, long page, int at, int kept) {
    boolean zero = isZero(bytes, at * PAGE_BYTES);
    if (runLength > 0 && (zero != runZero || page != runFirst + runLength)) {
      closeRun();
    }
    if (runLength == 0) {
      runFirst = page;
      runZero = zero;
    }
    runLength++;
    if (zero) {
      zeroPages++;
      return 0;
    }
    if (kept != at) {
      bytes.put(kept * PAGE_BYTES, bytes, at * PAGE_BYTES, PAGE_BYTES);
    }
    dataPages++;
    return 1;
  }

  private void closeRun() {
    if (runLength > 0) {
      runs.add(runZero ? PageRun.zero(runFirst, runLength) : PageRun.data(runFirst, runLength));
      runLength = 0;
    }
  }

  private static boolean isZero(ByteBuffer bytes, int offset) {
    for (int i = offset; i < offset + PAGE_BYTES; i += Long.BYTES) {
      if (bytes.getLong(i) != 0) {
        return false;
      }
    }
    return true;
  }
}
