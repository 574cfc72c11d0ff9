package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of buffers of one size: what bounds the memory of a program that moves pages.
 *
 * <p>Who acquires a buffer owns it until it releases it, from any thread. Memory is mapped when the pool is made but not touched
 * before use.
 */
public final class BufferPool implements AutoCloseable {
  private final List<NativeBuffer> all = new ArrayList<>();
  private final BlockingQueue<NativeBuffer> free;

  /** A pool of {@code count} buffers of {@code bufferBytes} each. */
  public BufferPool(int count, long bufferBytes) {
    free = new ArrayBlockingQueue<>(count);
    for (int i = 0; i < count; i++) {
      NativeBuffer buffer = NativeBuffer.allocate(bufferBytes);
      all.add(buffer);
      free.add(buffer);
    }
  }

  /** A free buffer, or null if none became free before the deadline. Its contents are what the last owner left. */
  public @Nullable NativeBuffer acquire(Deadline deadline) throws InterruptedException {
    return free.poll(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
  }

  /** Gives a buffer of this pool back. */
  public void release(NativeBuffer buffer) {
    if (!free.offer(buffer)) {
      throw new IllegalStateException("a buffer was released twice");
    }
  }

  /** How many buffers are free now. */
  public int freeCount() {
    return free.size();
  }

  /** Unmaps all buffers, also those that are out: only call it when no owner is left. */
  @Override
  public void close() {
    free.clear();
    all.forEach(NativeBuffer::close);
  }
}
