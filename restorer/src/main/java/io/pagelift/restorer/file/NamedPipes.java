package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.FIONREAD;
import static io.pagelift.linux.Constants.O_NONBLOCK;
import static io.pagelift.linux.Constants.O_RDONLY;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.S_IFIFO;

import io.pagelift.image.Pipe;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.FileNames;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;

/** FIFOs, fifo(7): found by their names, or made again and unlinked. */
final class NamedPipes {
  private NamedPipes() {}

  static String directoryOf(String path) {
    return path.substring(0, Math.max(1, path.lastIndexOf('/')));
  }

  /** Opens a FIFO, for both directions unless no writer may be seen. */
  static FileDescriptor open(Pipe pipe, boolean onlyReading) {
    int flags = O_NONBLOCK | (onlyReading ? O_RDONLY : O_RDWR);
    FileDescriptor opened = pipe.getUnlinked() ? unlinked(pipe, flags) : FileDescriptor.open(PathText.of(pipe.getFifoPath()), flags);
    try (NativeBuffer buffer = NativeBuffer.allocate(Integer.BYTES)) {
      opened.ioctl(FIONREAD, buffer.address());
      if (buffer.bytes().getInt(0) != 0) {
        opened.close();
        throw Reopen.refused(
            "The FIFO " + PathText.of(pipe.getFifoPath()) + " is in use here and has data of others in it; end who has it open (lsof).");
      }
    }
    return opened;
  }

  /** Made under its old name if that is free, so that the kernel shows the same one. */
  private static FileDescriptor unlinked(Pipe pipe, int flags) {
    String name = PathText.of(pipe.getFifoPath());
    long made = make(name);
    if (made == -Errno.EEXIST) {
      name = name + ".pagelift-" + Kernel.pid();
      made = make(name);
    }
    Kernel.check(made, "mknod", name);
    try {
      FileDescriptor opened = FileDescriptor.open(name, flags);
      Kernel.check(
          Kernel.call(SyscallNumbers.FCHOWN, opened.number(), pipe.getUid(), pipe.getGid()), "fchown", opened.object());
      opened.chmod(pipe.getMode() & 07777);
      return opened;
    } finally {
      call(SyscallNumbers.UNLINK, name, 0);
    }
  }

  private static long make(String name) {
    return call(SyscallNumbers.MKNOD, name, S_IFIFO | 0600);
  }

  private static long call(long number, String name, long argument) {
    byte[] bytes = FileNames.encode(name);
    try (NativeBuffer path = NativeBuffer.allocate(bytes.length + 1L)) {
      path.bytes().put(0, bytes);
      return Kernel.call(number, path.address(), argument, 0);
    }
  }
}
