package io.pagelift.dumper.file;

import com.google.protobuf.ByteString;
import io.pagelift.image.PipeChunk;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.util.ArrayList;
import java.util.List;

/**
 * What is in a pipe, read through a descriptor of ours without consuming it: tee(2) links the buffers into a pipe of ours.
 *
 * <p><b>Packets.</b> What was written in packet mode (O_DIRECT) stays apart when it is read: a read returns at most up to the end
 * of one packet, and what it leaves of that is thrown away. Both show where the boundaries are, on two copies: on the first, reads of
 * everything end behind packets; on the second, after a read of one byte FIONREAD is less by the whole packet, or by one outside of any.
 *
 * @param bytes all of it
 * @param chunks how it is divided; empty if none of it are packets
 */
record PipeContents(ByteString bytes, List<PipeChunk> chunks) {
  static final PipeContents EMPTY = new PipeContents(ByteString.EMPTY, List.of());

  /**
   * Reads a pipe.
   *
   * @param packetMode whether an end of it writes packets now: a single byte that could be one or not is one then
   */
  static PipeContents read(int readEnd, int capacityBytes, boolean packetMode) {
    int expected = PipeReads.readable(readEnd);
    if (expected == 0) {
      return EMPTY;
    }
    byte[] all = new byte[expected];
    List<Integer> stretches = new ArrayList<>();
    try (Copy copy = Copy.of(readEnd, capacityBytes, expected)) {
      for (int filled = 0; filled < expected; ) {
        int count = copy.read(expected - filled);
        copy.buffer.bytes().get(0, all, filled, count);
        stretches.add(count);
        filled += count;
      }
    }
    if (stretches.size() == 1 && !packetMode) {
      return new PipeContents(ByteString.copyFrom(all), List.of());
    }
    try (Copy copy = Copy.of(readEnd, capacityBytes, expected)) {
      return new PipeContents(ByteString.copyFrom(all), chunks(copy, stretches, packetMode));
    }
  }

  /** Each stretch is a packet, perhaps with bytes before it that are none; the last one may be without a packet. */
  private static List<PipeChunk> chunks(Copy copy, List<Integer> stretches, boolean packetMode) {
    List<PipeChunk> chunks = new ArrayList<>();
    for (int i = 0; i < stretches.size(); i++) {
      boolean last = i == stretches.size() - 1;
      int left = stretches.get(i);
      int plain = 0;
      int packet = 0;
      while (left > 0) {
        int before = PipeReads.readable(copy.readEnd);
        copy.read(1);
        int taken = before - PipeReads.readable(copy.readEnd);
        boolean single = taken == 1 && left == 1 && (!last || (packetMode && plain == 0));
        if (taken > 1 || single) {
          packet = taken;
        } else {
          plain++;
        }
        left -= taken;
      }
      add(chunks, plain, false);
      add(chunks, packet, true);
    }
    return chunks.stream().anyMatch(PipeChunk::getPacket) ? chunks : List.of();
  }

  private static void add(List<PipeChunk> chunks, int lengthBytes, boolean packet) {
    if (lengthBytes > 0) {
      chunks.add(PipeChunk.newBuilder().setLengthBytes(lengthBytes).setPacket(packet).build());
    }
  }

  /** A pipe of ours that holds the same buffers. */
  private static final class Copy implements AutoCloseable {
    private final NativeBuffer buffer;
    private int readEnd = -1;
    private int writeEnd = -1;

    private Copy(int lengthBytes) {
      buffer = NativeBuffer.allocate(Math.max(lengthBytes, 16));
    }

    static Copy of(int source, int capacityBytes, int expectedBytes) {
      Copy copy = new Copy(expectedBytes);
      boolean complete = false;
      try {
        int flags = Constants.O_CLOEXEC | Constants.O_NONBLOCK;
        Kernel.check(Kernel.call(SyscallNumbers.PIPE2, copy.buffer.address(), flags), "pipe2", "a pipe of ours");
        copy.readEnd = copy.buffer.bytes().getInt(0);
        copy.writeEnd = copy.buffer.bytes().getInt(4);
        // tee() takes whole buffers, so ours needs as many slots as theirs.
        Kernel.check(
            Kernel.call(SyscallNumbers.FCNTL, copy.writeEnd, Constants.F_SETPIPE_SZ, capacityBytes), "fcntl", "F_SETPIPE_SZ");
        long linked =
            Kernel.check(
                Kernel.call(SyscallNumbers.TEE, source, copy.writeEnd, expectedBytes, Constants.SPLICE_F_NONBLOCK),
                "tee",
                "a pipe");
        if (linked != expectedBytes) {
          throw new KernelException("tee", Errno.EAGAIN, 0, "a pipe with " + expectedBytes + " bytes, got " + linked);
        }
        complete = true;
        return copy;
      } finally {
        if (!complete) {
          copy.close();
        }
      }
    }

    /** Reads up to so many bytes to the beginning of the buffer. */
    int read(int lengthBytes) {
      int count =
          (int) Kernel.check(Kernel.call(SyscallNumbers.READ, readEnd, buffer.address(), lengthBytes), "read", "a pipe of ours");
      if (count == 0) {
        throw new KernelException("read", Errno.EAGAIN, 0, "a pipe of ours that ended early");
      }
      return count;
    }

    @Override
    public void close() {
      if (readEnd >= 0) {
        Kernel.call(SyscallNumbers.CLOSE, readEnd);
        Kernel.call(SyscallNumbers.CLOSE, writeEnd);
      }
      buffer.close();
    }
  }
}
