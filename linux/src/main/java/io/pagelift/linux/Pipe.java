package io.pagelift.linux;

/**
 * A pipe, and the calls that move pages through pipes: {@code splice(2)}, {@code vmsplice(2)}, {@code tee(2)}.
 *
 * @param readEnd where bytes come out
 * @param writeEnd where they go in
 */
public record Pipe(FileDescriptor readEnd, FileDescriptor writeEnd) implements AutoCloseable {
  /** {@code pipe2(2)}, close-on-exec. */
  public static Pipe open(int flags) {
    Scratch scratch = Scratch.ofThread();
    Kernel.check(
        Kernel.call(SyscallNumbers.PIPE2, scratch.structAddress(), flags | Constants.O_CLOEXEC), "pipe2", "");
    int in = scratch.struct().getInt(0);
    int out = scratch.struct().getInt(4);
    return new Pipe(FileDescriptor.own(in, "pipe"), FileDescriptor.own(out, "pipe"));
  }

  /** Sets the capacity; returns what the kernel made of it, in bytes. */
  public int capacityBytes(int wanted) {
    return writeEnd.fcntl(Constants.F_SETPIPE_SZ, wanted);
  }

  /** Bytes that wait in the pipe. */
  public int availableBytes() {
    return availableBytes(readEnd);
  }

  /** Bytes that wait behind a read end, by FIONREAD. */
  public static int availableBytes(FileDescriptor end) {
    Scratch scratch = Scratch.ofThread();
    Kernel.check(end.ioctl(Constants.FIONREAD, scratch.structAddress()), "ioctl FIONREAD", end.object());
    return scratch.struct().getInt(0);
  }

  /** {@code splice(2)} at the files' own offsets: bytes moved, or a negative error number. */
  public static long splice(FileDescriptor in, FileDescriptor out, long lengthBytes, int flags) {
    return Kernel.call(SyscallNumbers.SPLICE, in.number(), 0, out.number(), 0, lengthBytes, flags);
  }

  /** {@code vmsplice(2)} of one range of this process: bytes moved, or a negative error number. */
  public static long vmsplice(FileDescriptor pipe, long address, long lengthBytes, int flags) {
    IoVectors vectors = IoVectors.ofThread();
    vectors.setFirst(address, lengthBytes);
    return Kernel.call(SyscallNumbers.VMSPLICE, pipe.number(), vectors.address(), 1, flags);
  }

  /** {@code tee(2)}: copies without consuming; bytes copied, or a negative error number. */
  public static long tee(FileDescriptor in, FileDescriptor out, long lengthBytes, int flags) {
    return Kernel.call(SyscallNumbers.TEE, in.number(), out.number(), lengthBytes, flags);
  }

  /** Closes both ends. */
  @Override
  public void close() {
    readEnd.close();
    writeEnd.close();
  }
}
