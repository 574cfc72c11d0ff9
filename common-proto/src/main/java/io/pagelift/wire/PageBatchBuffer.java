package io.pagelift.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Buffer;
import io.netty.util.internal.PlatformDependent;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A buffer of up to 256 pages, outside the Java heap at a fixed page-aligned address, that a page reader fills and a {@link
 * RoundWriter} sends as it is.
 *
 * <p><b>Ownership.</b> {@link RoundWriter#acquire} gives the buffer to the caller. {@link RoundWriter#send} takes it back, also when
 * it throws; so does {@link #release}. After that the address must not be touched: another batch is being read into it.
 */
public final class PageBatchBuffer {
  /** Size of every buffer: 256 pages. */
  public static final int CAPACITY_BYTES = 1 << 20;

  private static final int ALIGNMENT_BYTES = 4096;

  private final PageBatchPool pool;
  private final ByteBuffer memory;
  private final long address;
  private final AtomicBoolean owned = new AtomicBoolean();

  PageBatchBuffer(PageBatchPool pool) {
    this.pool = pool;
    memory = ByteBuffer.allocateDirect(CAPACITY_BYTES + ALIGNMENT_BYTES).alignedSlice(ALIGNMENT_BYTES).slice(0, CAPACITY_BYTES);
    // Netty's native library asks JNI for the address; without it, on JDKs that allow it, Unsafe does.
    address = Epoll.isAvailable() ? Buffer.memoryAddress(memory) : PlatformDependent.directBufferAddress(memory);
  }

  /** Address of the first byte, for system calls that read straight into the buffer. */
  public long address() {
    checkOwned();
    return address;
  }

  /** The whole buffer for writing from Java; position and limit are the caller's own. */
  public ByteBuffer bytes() {
    checkOwned();
    return memory.duplicate();
  }

  /** Gives the buffer back without sending it. Does nothing when it is already given back. */
  public void release() {
    if (owned.compareAndSet(true, false)) {
      pool.giveBack(this);
    }
  }

  void taken() {
    owned.set(true);
  }

  /** The first bytes as a frame's payload. Releasing it does not give the buffer back: the end of the write does. */
  ByteBuf payload(int lengthBytes) {
    checkOwned();
    return Unpooled.wrappedBuffer(memory.slice(0, lengthBytes));
  }

  private void checkOwned() {
    if (!owned.get()) {
      throw new IllegalStateException("this batch buffer was already sent or released");
    }
  }
}
