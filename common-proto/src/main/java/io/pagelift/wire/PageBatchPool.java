package io.pagelift.wire;

import java.util.ArrayDeque;

/** The buffers of one connection, made when first needed, {@link #LIMIT} at most. Thread-safe. */
final class PageBatchPool {
  /**
   * Buffers that can be filled, queued or being written at once. What the kernel has taken is back in the pool, so eight keep the
   * socket busy while the next pages are read.
   */
  static final int LIMIT = 8;

  private final ArrayDeque<PageBatchBuffer> free = new ArrayDeque<>();
  private final Runnable whenFreed;
  private int made;

  PageBatchPool(Runnable whenFreed) {
    this.whenFreed = whenFreed;
  }

  /** A free buffer, or null when all are in use. */
  @org.jspecify.annotations.Nullable
  synchronized PageBatchBuffer poll() {
    PageBatchBuffer buffer = free.pollLast();
    if (buffer == null && made < LIMIT) {
      made++;
      buffer = new PageBatchBuffer(this);
    }
    if (buffer != null) {
      buffer.taken();
    }
    return buffer;
  }

  void giveBack(PageBatchBuffer buffer) {
    synchronized (this) {
      free.addLast(buffer);
    }
    whenFreed.run();
  }

  synchronized int inUse() {
    return made - free.size();
  }
}
