package io.pagelift.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Native arrays of {@code struct iovec} of the calling thread. */
final class IoVectors {
  /** The kernel's UIO_MAXIOV. */
  static final int MAX_COUNT = 1024;

  private static final int VECTOR_BYTES = 16;

  private static final ThreadLocal<IoVectors> OF_THREAD = ThreadLocal.withInitial(IoVectors::new);

  /** The array, and one more vector behind it for the other side of process_vm_readv. */
  private final ByteBuffer memory =
      ByteBuffer.allocateDirect((MAX_COUNT + 1) * VECTOR_BYTES).order(ByteOrder.nativeOrder());

  private final long address = Kernel.address(memory);

  private IoVectors() {}

  static IoVectors ofThread() {
    return OF_THREAD.get();
  }

  /** Fills the array and returns the sum of the lengths. */
  long set(long[] addresses, int[] lengths, int count) {
    if (count < 0 || count > MAX_COUNT) {
      throw new IllegalArgumentException(count + " vectors; at most " + MAX_COUNT);
    }
    long total = 0;
    for (int i = 0; i < count; i++) {
      memory.putLong(i * VECTOR_BYTES, addresses[i]);
      memory.putLong(i * VECTOR_BYTES + 8, lengths[i]);
      total += lengths[i];
    }
    return total;
  }

  /** Fills the first vector of the array. */
  void setFirst(long start, long lengthBytes) {
    memory.putLong(0, start);
    memory.putLong(8, lengthBytes);
  }

  /** Fills the vector behind the array and returns its address. */
  long setOther(long start, long lengthBytes) {
    int at = MAX_COUNT * VECTOR_BYTES;
    memory.putLong(at, start);
    memory.putLong(at + 8, lengthBytes);
    return address + at;
  }

  long address() {
    return address;
  }
}
