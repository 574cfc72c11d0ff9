package io.pagelift.pageserver.session;

import io.netty.channel.Channel;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.Frame;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Carries the frames of one connection, in order, from the event loop to a worker thread, and bounds what waits between them.
 *
 * <p>When {@link #QUEUE_BYTES} wait here, or {@link #SERVER_BYTES} in all queues of the server, the socket is no longer read; TCP
 * then holds the client back. Reading goes on when half is worked off. A queue that is empty always reads, so that no session waits
 * for another one: the overshoot is one frame per connection.
 */
final class FrameQueue {
  /** Enough to keep the worker busy while the next batches are received. */
  static final long QUEUE_BYTES = 4L << 20;

  /** For all connections together: the promise is under 300 MiB for the whole server. */
  static final long SERVER_BYTES = 16L << 20;

  /** Takes frames and the end of them, on a worker thread, never two at a time. */
  interface Consumer {
    /** Takes a frame, which the queue releases afterwards. {@code more} says that another one is already waiting. */
    void take(Frame frame, boolean more);

    /** What came after the last frame is no frame. Called at most once. */
    void broken(PageliftException reason);

    /** No more frames will come. Called once. */
    void end();
  }

  private final Channel channel;
  private final Executor workers;
  private final Consumer consumer;
  private final AtomicLong serverBytes;
  private final ArrayDeque<Frame> frames = new ArrayDeque<>();
  private long queuedBytes;
  private boolean running;
  private boolean ended;
  private boolean endTaken;
  private @Nullable PageliftException broken;

  FrameQueue(Channel channel, Executor workers, Consumer consumer, AtomicLong serverBytes) {
    this.channel = channel;
    this.workers = workers;
    this.consumer = consumer;
    this.serverBytes = serverBytes;
  }

  /** Event loop: one more frame, owned by the queue. */
  void add(Frame frame) {
    synchronized (frames) {
      if (ended) {
        frame.release();
        return;
      }
      frames.addLast(frame);
      queuedBytes += frame.lengthBytes();
      long all = serverBytes.addAndGet(frame.lengthBytes());
      if (queuedBytes >= QUEUE_BYTES || all >= SERVER_BYTES) {
        channel.config().setAutoRead(false);
      }
      wake();
    }
  }

  /** Event loop: what came after the last frame is no frame. */
  void broken(PageliftException reason) {
    synchronized (frames) {
      broken = reason;
      wake();
    }
  }

  /** Event loop: nothing more will come. Frames that wait are still taken. */
  void end() {
    synchronized (frames) {
      if (!ended) {
        ended = true;
        wake();
      }
    }
  }

  /** Whether nothing waits and nothing is being worked on. */
  boolean idle() {
    synchronized (frames) {
      return frames.isEmpty() && !running;
    }
  }

  /** Bytes that wait; for tests of the bound. */
  long queuedBytes() {
    synchronized (frames) {
      return queuedBytes;
    }
  }

  private void wake() {
    if (!running) {
      running = true;
      workers.execute(this::work);
    }
  }

  private void work() {
    Frame frame = next(null);
    while (frame != null) {
      boolean more;
      synchronized (frames) {
        more = !frames.isEmpty();
      }
      try {
        consumer.take(frame, more);
      } finally {
        frame.release();
      }
      frame = next(frame);
    }
  }

  /** The next frame, or null when this run of the worker is over; tells the consumer what comes after the last frame. */
  private @Nullable Frame next(@Nullable Frame done) {
    if (done != null) {
      makeRoom(done.lengthBytes());
    }
    while (true) {
      PageliftException reason;
      synchronized (frames) {
        Frame frame = frames.pollFirst();
        if (frame != null) {
          return frame;
        }
        reason = broken;
        broken = null;
        if (reason == null && (!ended || endTaken)) {
          running = false;
          return null;
        }
        endTaken = reason == null;
      }
      if (reason == null) {
        consumer.end();
      } else {
        consumer.broken(reason);
      }
    }
  }

  private void makeRoom(int lengthBytes) {
    synchronized (frames) {
      queuedBytes -= lengthBytes;
      long all = serverBytes.addAndGet(-lengthBytes);
      boolean room = queuedBytes == 0 || (queuedBytes <= QUEUE_BYTES / 2 && all < SERVER_BYTES);
      if (room && !channel.config().isAutoRead()) {
        channel.config().setAutoRead(true);
      }
    }
  }
}
