package io.pagelift.dumper.file;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;

/** Looks into a pipe through a descriptor of ours that shares the open file, without changing it. */
final class PipeReads {
  private static final int POLLERR = 8;
  private static final int POLLHUP = 16;

  private PipeReads() {}

  static int capacityBytes(int pipe) {
    return (int) Kernel.check(Kernel.call(SyscallNumbers.FCNTL, pipe, Constants.F_GETPIPE_SZ, 0), "fcntl", "F_GETPIPE_SZ");
  }

  /** Whether no process has the write end open: poll(2) then reports POLLHUP at the read end. */
  static boolean writersGone(int readEnd) {
    return (poll(readEnd) & POLLHUP) != 0;
  }

  /** Whether no process has the read end open: poll(2) then reports POLLERR at the write end. */
  static boolean readersGone(int writeEnd) {
    return (poll(writeEnd) & POLLERR) != 0;
  }

  /** How many bytes are in it. */
  static int readable(int pipe) {
    try (NativeBuffer buffer = NativeBuffer.allocate(4)) {
      Kernel.check(Kernel.call(SyscallNumbers.IOCTL, pipe, Constants.FIONREAD, buffer.address()), "ioctl", "FIONREAD");
      return buffer.bytes().getInt(0);
    }
  }

  // struct pollfd: fd 4, events 2, revents 2: poll(2)
  private static int poll(int fd) {
    try (NativeBuffer buffer = NativeBuffer.allocate(8)) {
      ByteBuffer bytes = buffer.bytes();
      bytes.putInt(0, fd).putShort(4, (short) 0);
      Kernel.check(Kernel.call(SyscallNumbers.POLL, buffer.address(), 1, 0), "poll", "a pipe");
      return bytes.getShort(6);
    }
  }
}
