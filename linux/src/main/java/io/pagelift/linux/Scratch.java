package io.pagelift.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory of the calling thread for the arguments of one system call.
 *
 * <p>Nothing in it survives the next call of this package on the same thread. It is a plain direct buffer: freed when the thread
 * is gone.
 */
final class Scratch {
  /** Linux takes paths of up to 4,095 bytes; a longer one is passed on so that the kernel says ENAMETOOLONG. */
  private static final int PATH_AREA_BYTES = 8192;

  static final int STRUCT_BYTES = 16 * 1024;

  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  private final ByteBuffer memory =
      ByteBuffer.allocateDirect(2 * PATH_AREA_BYTES + STRUCT_BYTES).order(ByteOrder.nativeOrder());
  private final ByteBuffer struct =
      memory.slice(2 * PATH_AREA_BYTES, STRUCT_BYTES).order(ByteOrder.nativeOrder());
  private final long address = Kernel.address(memory);

  private Scratch() {}

  static Scratch ofThread() {
    return OF_THREAD.get();
  }

  /** The address of the path as a C string. */
  long path(String path) {
    return write(path, 0);
  }

  /** The address of a second path as a C string, for calls that take two. */
  long secondPath(String path) {
    return write(path, PATH_AREA_BYTES);
  }

  private long write(String path, int at) {
    byte[] bytes = FileNames.encode(path);
    if (bytes.length >= PATH_AREA_BYTES) {
      throw new KernelException("path lookup", Errno.ENAMETOOLONG, 0, "a path of " + bytes.length + " bytes");
    }
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a path must not hold a NUL byte");
      }
    }
    memory.put(at, bytes).put(at + bytes.length, (byte) 0);
    return address + at;
  }

  /** The area for structures, {@value #STRUCT_BYTES} bytes, with whatever the last call left in it. */
  ByteBuffer struct() {
    return struct;
  }

  /** The area for structures with its first bytes set to zero. */
  ByteBuffer struct(int zeroedBytes) {
    for (int i = 0; i < zeroedBytes; i++) {
      struct.put(i, (byte) 0);
    }
    return struct;
  }

  /** The address of {@link #struct()}. */
  long structAddress() {
    return address + 2 * PATH_AREA_BYTES;
  }
}
