package io.pagelift.linux;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A Linux file descriptor of this process, owned by whoever holds this object.
 *
 * <p>Every descriptor that is made here is close-on-exec. Methods throw {@link KernelException} unless they say otherwise;
 * reads and writes are retried when a signal interrupts them. Addresses are of this process.
 */
public final class FileDescriptor implements AutoCloseable {
  private final int number;
  private final String object;
  private final AtomicBoolean closed = new AtomicBoolean();

  private FileDescriptor(int number, String object) {
    this.number = number;
    this.object = object;
  }

  /**
   * Takes over a descriptor that something else opened.
   *
   * @param number the descriptor
   * @param object what it is, for messages
   */
  public static FileDescriptor own(int number, String object) {
    return new FileDescriptor(number, object);
  }

  /** {@code open(2)} with {@code O_CLOEXEC} added. */
  public static FileDescriptor open(String path, int flags) {
    return open(path, flags, 0600);
  }

  /** {@code open(2)} with {@code O_CLOEXEC} added and the permission bits for a new file. */
  public static FileDescriptor open(String path, int flags, int mode) {
    return openAt(Constants.AT_FDCWD, path, flags, mode);
  }

  /** {@code openat(2)} relative to this directory. */
  public FileDescriptor openAt(String path, int flags, int mode) {
    return openAt(number(), path, flags, mode);
  }

  private static FileDescriptor openAt(int directory, String path, int flags, int mode) {
    long result;
    do {
      result =
          Kernel.call(
              SyscallNumbers.OPENAT,
              directory,
              Scratch.ofThread().path(path),
              (flags | Constants.O_CLOEXEC) & 0xffffffffL,
              mode);
    } while (result == -Errno.EINTR);
    return new FileDescriptor((int) Kernel.check(result, "open", path), path);
  }

  /**
   * {@code memfd_create(2)}, close-on-exec.
   *
   * @param flags {@code MFD_*}
   */
  public static FileDescriptor memfd(String name, int flags) {
    long result =
        Kernel.call(SyscallNumbers.MEMFD_CREATE, Scratch.ofThread().path(name), flags | Constants.MFD_CLOEXEC);
    return new FileDescriptor((int) Kernel.check(result, "memfd_create", name), "memfd " + name);
  }

  /** The descriptor's number. */
  public int number() {
    if (closed.get()) {
      throw new IllegalStateException(object + " is closed");
    }
    return number;
  }

  /** What this is open on, for messages. */
  public String object() {
    return object;
  }

  /** Whether this object still owns a descriptor. */
  public boolean isOpen() {
    return !closed.get();
  }

  /** Gives up ownership without closing and returns the number. */
  public int release() {
    int owned = number();
    closed.set(true);
    return owned;
  }

  /**
   * {@code read(2)} at the file's offset.
   *
   * @return bytes read, 0 at the end
   */
  public int read(long address, int lengthBytes) {
    return (int) check(retried(SyscallNumbers.READ, address, lengthBytes, 0), "read");
  }

  /** {@code read(2)} into the remaining part of a direct buffer, whose position advances. */
  public int read(ByteBuffer direct) {
    int count = read(Kernel.address(direct) + direct.position(), direct.remaining());
    direct.position(direct.position() + count);
    return count;
  }

  /** {@code pread(2)}: bytes read, 0 at the end, fewer than asked for if the file says so. */
  public int pread(long address, int lengthBytes, long offsetBytes) {
    return (int) check(retried(SyscallNumbers.PREAD64, address, lengthBytes, offsetBytes), "pread");
  }

  /** {@code write(2)}: bytes written, perhaps fewer than asked for. */
  public int write(long address, int lengthBytes) {
    return (int) check(retried(SyscallNumbers.WRITE, address, lengthBytes, 0), "write");
  }

  /** {@code write(2)} of the remaining part of a direct buffer, whose position advances. */
  public int write(ByteBuffer direct) {
    int count = write(Kernel.address(direct) + direct.position(), direct.remaining());
    direct.position(direct.position() + count);
    return count;
  }

  /** Writes all bytes at the file's offset. */
  public void writeFully(byte[] bytes) {
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    while (direct.hasRemaining()) {
      write(direct);
    }
  }

  /** {@code pwrite(2)}: bytes written, perhaps fewer than asked for. */
  public int pwrite(long address, int lengthBytes, long offsetBytes) {
    return (int) check(retried(SyscallNumbers.PWRITE64, address, lengthBytes, offsetBytes), "pwrite");
  }

  /**
   * {@code preadv(2)}.
   *
   * @param addresses where to read to
   * @param lengths bytes for each address
   * @param count how many of them, at most {@link IoVectors#MAX_COUNT}
   * @return bytes read, 0 at the end
   */
  public long preadv(long[] addresses, int[] lengths, int count, long offsetBytes) {
    IoVectors vectors = IoVectors.ofThread();
    vectors.set(addresses, lengths, count);
    long result;
    do {
      result = Kernel.call(SyscallNumbers.PREADV, number(), vectors.address(), count, offsetBytes, 0);
    } while (result == -Errno.EINTR);
    return check(result, "preadv");
  }

  private long retried(long call, long address, int lengthBytes, long offsetBytes) {
    long result;
    do {
      result = Kernel.call(call, number(), address, lengthBytes, offsetBytes);
    } while (result == -Errno.EINTR);
    return result;
  }

  private long check(long result, String call) {
    return Kernel.check(result, call, object);
  }

  /** {@code statx(2)} of this descriptor. */
  public Stat stat() {
    return Stat.read(number(), "", Constants.AT_EMPTY_PATH, object);
  }

  /** {@code fcntl(2)} with a number or an address. */
  public int fcntl(int command, long argument) {
    return (int) check(Kernel.call(SyscallNumbers.FCNTL, number(), command, argument), "fcntl");
  }

  /** The file status flags: access mode, O_APPEND, O_NONBLOCK and so on. */
  public int statusFlags() {
    return fcntl(Constants.F_GETFL, 0);
  }

  /** Another descriptor of the same open file, close-on-exec. */
  public FileDescriptor dup() {
    return new FileDescriptor(fcntl(Constants.F_DUPFD_CLOEXEC, 0), object);
  }

  /** Another descriptor of the same open file, close-on-exec, with a number of at least {@code lowest}. */
  public FileDescriptor dupFrom(int lowest) {
    return new FileDescriptor(fcntl(Constants.F_DUPFD_CLOEXEC, lowest), object);
  }

  /** {@code dup3(2)} onto the given number, which is closed first if it is open. */
  public FileDescriptor dupTo(int target, int flags) {
    return new FileDescriptor((int) check(Kernel.call(SyscallNumbers.DUP3, number(), target, flags), "dup3"), object);
  }

  /** {@code ftruncate(2)}. */
  public void truncate(long lengthBytes) {
    check(Kernel.call(SyscallNumbers.FTRUNCATE, number(), lengthBytes), "ftruncate");
  }

  /** {@code fallocate(2)}. */
  public void allocate(int mode, long offsetBytes, long lengthBytes) {
    check(Kernel.call(SyscallNumbers.FALLOCATE, number(), mode, offsetBytes, lengthBytes), "fallocate");
  }

  /** {@code lseek(2)}: the new offset. */
  public long seek(long offsetBytes, int whence) {
    return check(Kernel.call(SyscallNumbers.LSEEK, number(), offsetBytes, whence), "lseek");
  }

  /** The start of the next data at or after an offset, or -1 if there is none. Moves the file's offset. */
  public long seekData(long offsetBytes) {
    long result = Kernel.call(SyscallNumbers.LSEEK, number(), offsetBytes, Constants.SEEK_DATA);
    return result == -Errno.ENXIO ? -1 : check(result, "lseek");
  }

  /** The start of the next hole at or after an offset (the end of the file counts), or -1 past the end. Moves the offset. */
  public long seekHole(long offsetBytes) {
    long result = Kernel.call(SyscallNumbers.LSEEK, number(), offsetBytes, Constants.SEEK_HOLE);
    return result == -Errno.ENXIO ? -1 : check(result, "lseek");
  }

  /** {@code ioctl(2)}: the result, or a negative error number. */
  public long ioctl(long request, long argument) {
    return Kernel.call(SyscallNumbers.IOCTL, number(), request, argument);
  }

  /** {@code fsync(2)}. */
  public void sync() {
    check(Kernel.call(SyscallNumbers.FSYNC, number()), "fsync");
  }

  /** {@code fchmod(2)}. */
  public void chmod(int permissions) {
    check(Kernel.call(SyscallNumbers.FCHMOD, number(), permissions), "fchmod");
  }

  /** {@code readlink(2)}: the target of a symbolic link or of an entry under {@code /proc/PID/fd}. */
  public static String readLink(String path) {
    Scratch scratch = Scratch.ofThread();
    long result =
        Kernel.call(
            SyscallNumbers.READLINKAT,
            Constants.AT_FDCWD,
            scratch.path(path),
            scratch.structAddress(),
            Scratch.STRUCT_BYTES);
    byte[] target = new byte[(int) Kernel.check(result, "readlink", path)];
    scratch.struct().get(0, target);
    return FileNames.decode(target);
  }

  /** Closes the descriptor; a second call does nothing. What close(2) says is of no use: the number is free in any case. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Kernel.call(SyscallNumbers.CLOSE, number);
    }
  }

  @Override
  public String toString() {
    return "fd " + number + " (" + object + ")" + (closed.get() ? " closed" : "");
  }
}
