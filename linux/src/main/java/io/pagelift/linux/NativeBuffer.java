package io.pagelift.linux;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A page-aligned, zero-filled piece of memory outside the Java heap.
 *
 * <p>One owner at a time; the owner closes it. It is its own mapping, so that closing gives the memory back at once. Neither
 * the address nor a view from {@link #bytes()} may be used after that: the memory is gone and the JVM would crash.
 */
public final class NativeBuffer implements AutoCloseable {
  private final long address;
  private final long lengthBytes;
  private final ByteBuffer bytes;
  private final AtomicBoolean closed = new AtomicBoolean();

  private NativeBuffer(long address, long lengthBytes) {
    this.address = address;
    this.lengthBytes = lengthBytes;
    this.bytes = Kernel.view(address, (int) Math.min(lengthBytes, Integer.MAX_VALUE));
  }

  /**
   * Maps fresh memory.
   *
   * @param lengthBytes at least 1; rounded up to whole pages
   * @throws KernelException ENOMEM if there is no room
   */
  public static NativeBuffer allocate(long lengthBytes) {
    if (lengthBytes < 1) {
      throw new IllegalArgumentException("length " + lengthBytes);
    }
    long rounded = (lengthBytes + Kernel.PAGE_BYTES - 1) & -Kernel.PAGE_BYTES;
    long address =
        Kernel.check(
            Kernel.call(
                SyscallNumbers.MMAP, 0, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            "mmap",
            "a buffer of " + rounded + " bytes");
    return new NativeBuffer(address, rounded);
  }

  /** The address of the first byte. */
  public long address() {
    if (closed.get()) {
      throw new IllegalStateException("the buffer is closed");
    }
    return address;
  }

  /** The length, whole pages. */
  public long lengthBytes() {
    return lengthBytes;
  }

  /** The memory (its first 2 GiB) in native byte order: a fresh view each time, position 0, limit at the end. */
  public ByteBuffer bytes() {
    if (closed.get()) {
      throw new IllegalStateException("the buffer is closed");
    }
    return bytes.duplicate().order(bytes.order());
  }

  /** Gives the memory back; a second call does nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Kernel.check(Kernel.call(SyscallNumbers.MUNMAP, address, lengthBytes), "munmap", "a buffer");
    }
  }
}
