package io.pagelift.pageserver.store;

import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forces pages in the background while rounds still come in, so that a commit has little left to wait for: what the commit of
 * the final round waits for is downtime. It promises nothing: a commit forces what it needs itself, and meets every failure.
 */
final class WriteBack implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WriteBack.class);

  /** 64 MiB: a few tenths of a second of a slow disk. */
  private static final int PAGES_BEHIND = 1 << 14;

  /** Longer than any disk takes for what it may still have to write. */
  private static final long CLOSE_SECONDS = 60;

  private final AtomicBoolean busy = new AtomicBoolean();
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread worker = new Thread(task, "pagelift-write-back");
            worker.setDaemon(true);
            return worker;
          });

  /** Pages were appended to a segment. Never waits. */
  void appended(Segment segment) {
    if (segment.writtenPages() - segment.forcedPages() >= PAGES_BEHIND && busy.compareAndSet(false, true)) {
      thread.execute(() -> force(segment));
    }
  }

  private void force(Segment segment) {
    try {
      segment.force(segment.writtenPages());
    } catch (IOException e) {
      LOG.warn("Segment {} cannot be forced; rounds that need it are refused: {}", segment.number(), e.getMessage());
    } finally {
      busy.set(false);
    }
  }

  /** Lets a force in progress end. No interrupt: that would close the file under it. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("A disk did not take its data within {} s.", CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
