package io.pagelift.dumper.facts;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileNames;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code /proc} files, links, directories and file status with bare system calls and one reused buffer.
 *
 * <p>A freeze makes hundreds of such reads; {@code java.nio.file} costs five times as much for each. For one thread at a time.
 * A process that is gone reads as {@code null}, every other failure throws.
 */
public final class RawReader implements AutoCloseable {
  /** Most files of /proc take one read; longer ones take several. */
  private static final int BUFFER_BYTES = 256 * 1024;

  private static final int PATH_BYTES = 4096;
  private static final int STATX_BASIC_STATS = 0x7ff;
  /** No file of /proc that is read whole may be longer: /proc/PID/smaps of 65,530 mappings has about 50 MiB. */
  private static final int MAX_FILE_BYTES = 256 << 20;

  private static final String TOO_LONG = "(a path of more than 4095 bytes)";

  private final NativeBuffer path = NativeBuffer.allocate(PATH_BYTES);
  private final NativeBuffer data = NativeBuffer.allocate(BUFFER_BYTES);
  private final ByteBuffer dataBytes = data.bytes().order(ByteOrder.nativeOrder());

  /** The whole file; {@code null} when it, or its process, is gone. */
  public byte @Nullable [] file(String name) {
    long fd = open(name, Constants.O_RDONLY | Constants.O_CLOEXEC);
    if (gone(fd)) {
      return null;
    }
    Kernel.check(fd, "open", name);
    try {
      return contents(fd, name);
    } finally {
      Kernel.call(SyscallNumbers.CLOSE, fd);
    }
  }

  /** The first bytes of a file, fewer if it is shorter; {@code null} when it is gone or may not be read. */
  public byte @Nullable [] beginning(String name, int lengthBytes) {
    long fd = open(name, Constants.O_RDONLY | Constants.O_CLOEXEC);
    if (Kernel.failed(fd)) {
      return null;
    }
    try {
      long length = Kernel.call(SyscallNumbers.READ, fd, data.address(), Math.min(lengthBytes, BUFFER_BYTES));
      return Kernel.failed(length) ? null : copy((int) length);
    } finally {
      Kernel.call(SyscallNumbers.CLOSE, fd);
    }
  }

  /** The file as text; empty when it, or its process, is gone. */
  public String text(String name) {
    byte[] bytes = file(name);
    return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
  }

  /** Where a link points, as the kernel prints it; {@code null} when it is gone. Bytes that are not UTF-8: see {@link FileNames}. */
  public @Nullable String link(String name) {
    long length =
        Kernel.call(SyscallNumbers.READLINK, put(name), data.address(), PATH_BYTES);
    if (gone(length)) {
      return null;
    }
    if (length == -Errno.ENAMETOOLONG) {
      // No call takes such a path either; what has it is refused as a file that cannot be named.
      return TOO_LONG;
    }
    Kernel.check(length, "readlink", name);
    return FileNames.decode(copy((int) length));
  }

  /** The status of what {@code name} leads to, links followed; {@code null} when it is gone. */
  public @Nullable FileStat stat(String name) {
    return status(Constants.AT_FDCWD, name, 0);
  }

  /** The status of what {@code name} names, the link itself if it is one; {@code null} when there is none or the path is no directory's. */
  public @Nullable FileStat statLink(String name) {
    try {
      return status(Constants.AT_FDCWD, name, Constants.AT_SYMLINK_NOFOLLOW);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOTDIR || e.errno() == Errno.EACCES || e.errno() == Errno.ELOOP || e.errno() == Errno.ENAMETOOLONG) {
        return null;
      }
      throw e;
    }
  }

  /** The target of a symbolic link that one of our own descriptors is open on (O_PATH and O_NOFOLLOW), readlinkat(2). */
  public String linkTarget(int fd) {
    long length = Kernel.call(SyscallNumbers.READLINKAT, fd, put(""), data.address(), PATH_BYTES);
    Kernel.check(length, "readlinkat", "fd " + fd);
    return FileNames.decode(copy((int) length));
  }

  /** The status of one of our own descriptors. */
  public FileStat statDescriptor(int fd) {
    FileStat stat = status(fd, "", Constants.AT_EMPTY_PATH);
    if (stat == null) {
      throw new KernelException("statx", Errno.EBADF, Kernel.pid(), "fd " + fd);
    }
    return stat;
  }

  /** {@code f_type} of statfs(2) for what {@code name} leads to; 0 when it is gone. */
  public long fileSystemType(String name) {
    long result = Kernel.call(SyscallNumbers.STATFS, put(name), data.address());
    if (gone(result)) {
      return 0;
    }
    Kernel.check(result, "statfs", name);
    return dataBytes.getLong(0);
  }

  /** {@code f_bsize} of statfs(2) for what {@code name} leads to; 0 when it is gone. On hugetlbfs it is the size of a page. */
  public long fileSystemBlockBytes(String name) {
    return fileSystemType(name) == 0 ? 0 : dataBytes.getLong(8);
  }

  /** The names in a directory, without dot entries, as numbers in ascending order; empty when it is gone. */
  public List<Integer> numbers(String directory) {
    List<Integer> numbers = new ArrayList<>();
    long fd = open(directory, Constants.O_RDONLY | Constants.O_DIRECTORY | Constants.O_CLOEXEC);
    if (gone(fd)) {
      return numbers;
    }
    Kernel.check(fd, "open", directory);
    try {
      long length = entries(fd);
      while (length > 0) {
        addNumbers((int) length, numbers);
        length = entries(fd);
      }
      if (!gone(length)) {
        Kernel.check(length, "getdents64", directory);
      }
    } finally {
      Kernel.call(SyscallNumbers.CLOSE, fd);
    }
    numbers.sort(null);
    return numbers;
  }

  /** Whether this is the id of a thread of ours: {@code TracerPid} names the tracing thread, not its process. */
  public boolean ownThread(int tid) {
    return file("/proc/self/task/" + tid + "/comm") != null;
  }

  /** A clock, in nanoseconds: clock_gettime(2). */
  public long clockNanos(int clock) {
    Kernel.check(Kernel.call(SyscallNumbers.CLOCK_GETTIME, clock, data.address()), "clock_gettime", "clock " + clock);
    return dataBytes.getLong(0) * 1_000_000_000L + dataBytes.getLong(8);
  }

  /** Opens with bare flags: a descriptor or {@code -errno}. The caller closes it. */
  public long open(String name, int flags) {
    return Kernel.call(SyscallNumbers.OPENAT, Constants.AT_FDCWD, put(name), flags, 0);
  }

  @Override
  public void close() {
    path.close();
    data.close();
  }

  private long entries(long fd) {
    return Kernel.call(SyscallNumbers.GETDENTS64, fd, data.address(), BUFFER_BYTES);
  }

  // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name with NUL: getdents64(2)
  private void addNumbers(int lengthBytes, List<Integer> numbers) {
    for (int at = 0; at < lengthBytes; at += dataBytes.getShort(at + 16) & 0xffff) {
      int number = 0;
      int character = at + 19;
      boolean digits = dataBytes.get(character) != 0;
      for (byte c = dataBytes.get(character); c != 0; c = dataBytes.get(++character)) {
        digits &= c >= '0' && c <= '9';
        number = number * 10 + (c - '0');
      }
      if (digits) {
        numbers.add(number);
      }
    }
  }

  // seq_file gives out one page of text at a time, so a long file takes many reads: they are gathered in the buffer.
  private byte @Nullable [] contents(long fd, String name) {
    byte[] all = new byte[0];
    int filled = 0;
    while (true) {
      long length = Kernel.call(SyscallNumbers.READ, fd, data.address() + filled, BUFFER_BYTES - filled);
      if (length == -Errno.EINTR) {
        continue;
      }
      if (length == -Errno.ESRCH || length == -Errno.ENOENT) {
        return null;
      }
      Kernel.check(length, "read", name);
      filled += (int) length;
      if (length == 0 || filled == BUFFER_BYTES) {
        all = appended(all, filled, name);
        filled = 0;
      }
      if (length == 0) {
        return all;
      }
    }
  }

  private byte[] appended(byte[] all, int moreBytes, String name) {
    if (all.length + (long) moreBytes > MAX_FILE_BYTES) {
      throw new KernelException("read", Errno.EFBIG, Kernel.pid(), name);
    }
    byte[] longer = Arrays.copyOf(all, all.length + moreBytes);
    dataBytes.get(0, longer, all.length, moreBytes);
    return longer;
  }

  // struct statx: statx(2). The same on every architecture, unlike struct stat.
  private @Nullable FileStat status(int directory, String name, int flags) {
    long result =
        Kernel.call(SyscallNumbers.STATX, directory, put(name), flags, STATX_BASIC_STATS, data.address());
    if (gone(result)) {
      return null;
    }
    Kernel.check(result, "statx", name.isEmpty() ? "fd " + directory : name);
    ByteBuffer b = dataBytes;
    return new FileStat(
        FileStat.device(b.getInt(136), b.getInt(140)),
        b.getLong(32),
        b.getShort(28) & 0xffff,
        b.getInt(16),
        b.getInt(20),
        b.getInt(24),
        b.getLong(40),
        nanos(64),
        nanos(112),
        b.getInt(128),
        b.getInt(132),
        b.getLong(48) * 512);
  }

  private long nanos(int offset) {
    return dataBytes.getLong(offset) * 1_000_000_000L + dataBytes.getInt(offset + 8);
  }

  private static boolean gone(long result) {
    return result == -Errno.ENOENT || result == -Errno.ESRCH;
  }

  private long put(String name) {
    byte[] bytes = FileNames.encode(name);
    if (bytes.length >= PATH_BYTES) {
      throw new KernelException("open", Errno.ENAMETOOLONG, Kernel.pid(), name);
    }
    ByteBuffer target = path.bytes();
    target.put(0, bytes);
    target.put(bytes.length, (byte) 0);
    return path.address();
  }

  private byte[] copy(int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    dataBytes.get(0, bytes);
    return bytes;
  }
}
