package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import io.pagelift.linux.NativeBuffer;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A server of one object in this process: keeps the newest contents of each page. */
final class RecordingChannel implements PageChannel, AutoCloseable {
  private final NativeBuffer buffer = NativeBuffer.allocate((long) BATCH_PAGES * PageRun.PAGE_BYTES);
  private final TreeMap<Long, byte[]> pages = new TreeMap<>();
  private boolean acquired;
  private long sentPages;

  /** The held pages and their contents. */
  Map<Long, byte[]> pages() {
    return pages;
  }

  /** DATA pages received in all. */
  long sentPages() {
    return sentPages;
  }

  @Override
  public Batch acquire() {
    if (acquired) {
      throw new IllegalStateException("the last batch was neither sent nor released");
    }
    acquired = true;
    return new OnlyBatch();
  }

  @Override
  public void send(long objectId, List<PageRun> runs, Batch batch) {
    int at = 0;
    for (PageRun run : runs) {
      for (long page = run.firstPage(); page < run.endPage(); page++) {
        byte[] bytes = new byte[PageRun.PAGE_BYTES];
        if (run.kind() == PageRun.Kind.DATA) {
          buffer.bytes().get(at, bytes);
          at += PageRun.PAGE_BYTES;
          sentPages++;
        }
        keep(run, page, bytes);
      }
    }
    acquired = false;
  }

  @Override
  public void send(long objectId, List<PageRun> runs) {
    for (PageRun run : runs) {
      if (run.kind() == PageRun.Kind.DATA) {
        throw new IllegalArgumentException("DATA without bytes");
      }
      for (long page = run.firstPage(); page < run.endPage(); page++) {
        keep(run, page, new byte[PageRun.PAGE_BYTES]);
      }
    }
  }

  private void keep(PageRun run, long page, byte[] bytes) {
    if (run.kind() == PageRun.Kind.DROP) {
      pages.remove(page);
    } else {
      pages.put(page, bytes);
    }
  }

  @Override
  public void close() {
    buffer.close();
  }

  private final class OnlyBatch implements Batch {
    @Override
    public long address() {
      return buffer.address();
    }

    @Override
    public ByteBuffer bytes() {
      return buffer.bytes();
    }

    @Override
    public void release() {
      acquired = false;
    }
  }
}
