package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import java.nio.ByteBuffer;
import java.util.List;

/** Where pages go: a round on its way to the page-server, or whatever a test records. Used by one thread. */
public interface PageChannel {
  /** Pages in a full batch: what one wire frame takes. */
  int BATCH_PAGES = 256;

  /** A buffer of {@link #BATCH_PAGES} pages from a fixed pool. The caller owns it until it is sent or released. */
  interface Batch {
    /** Address of the first byte. */
    long address();

    /** The whole buffer. */
    ByteBuffer bytes();

    /** Gives the buffer back unsent. */
    void release();
  }

  /** Says that about so many pages will come, for whoever shows progress. */
  default void expect(long pageCount) {}

  /** An empty buffer; waits, with a bound, until one is free. */
  Batch acquire();

  /** Sends runs and the contents of the DATA ones, which lie one after the other in {@code pages}; takes the buffer over. */
  void send(long objectId, List<PageRun> runs, Batch pages);

  /** Sends ZERO and DROP runs. */
  void send(long objectId, List<PageRun> runs);
}
