package io.pagelift.wire;

import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/** Where direct buffers are, for a library that takes addresses. */
public final class DirectMemory {
  private DirectMemory() {}

  /**
   * The address of the first remaining byte of a direct buffer, valid as long as the caller keeps the buffer reachable.
   *
   * <p>Netty is the public way to it: the JDK's own accessors want packages opened on the command line. The view made here
   * shares the memory and owns nothing, so it need not be released.
   */
  public static long address(ByteBuffer direct) {
    return Unpooled.wrappedBuffer(direct).memoryAddress();
  }
}
