package io.pagelift.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * The memory of other processes.
 *
 * <p>{@link #read} and {@link #write} are {@code process_vm_readv(2)} and {@code process_vm_writev(2)}: the fastest way, bound by
 * the protection of the pages. {@link #openMem} is {@code /proc/PID/mem}, a little slower, which reads and writes pages whatever
 * their protection. Both need the right to ptrace the process, and neither stops it.
 */
public final class RemoteMemory {
  /** The most ranges that one call takes. */
  public static final int MAX_RANGES = IoVectors.MAX_COUNT;

  private RemoteMemory() {}

  /**
   * Reads ranges, one after another, into local memory without gaps.
   *
   * <p>The kernel stops at the first page that it can't read; with many ranges the count may then fall into the middle of a
   * range. It does not throw.
   *
   * @param remoteAddresses starts of the ranges in the other process
   * @param lengths their lengths in bytes
   * @param count how many ranges, 1 to {@value IoVectors#MAX_COUNT}; best 64 to 256
   * @param localAddress where to put the bytes: room for all of them
   */
  public static ReadResult read(int pid, long[] remoteAddresses, int[] lengths, int count, long localAddress) {
    IoVectors vectors = IoVectors.ofThread();
    long total = vectors.set(remoteAddresses, lengths, count);
    return transfer(SyscallNumbers.PROCESS_VM_READV, pid, vectors, count, localAddress, total);
  }

  /** Reads one range. */
  public static ReadResult read(int pid, long remoteAddress, long lengthBytes, long localAddress) {
    IoVectors vectors = IoVectors.ofThread();
    vectors.setFirst(remoteAddress, lengthBytes);
    return transfer(SyscallNumbers.PROCESS_VM_READV, pid, vectors, 1, localAddress, lengthBytes);
  }

  private static ReadResult transfer(
      long call, int pid, IoVectors vectors, int count, long localAddress, long total) {
    long other = vectors.setOther(localAddress, total);
    return ReadResult.of(Kernel.call(call, pid, other, 1, vectors.address(), count, 0));
  }

  /** Reads one small range as an array, or throws: EFAULT also if a part of it can't be read. */
  public static byte[] read(int pid, long remoteAddress, int lengthBytes) {
    ByteBuffer local = ByteBuffer.allocateDirect(Math.max(1, lengthBytes));
    if (lengthBytes > 0) {
      ReadResult result = read(pid, remoteAddress, lengthBytes, Kernel.address(local));
      if (result.bytesRead() != lengthBytes) {
        throw failure("process_vm_readv", pid, remoteAddress, result);
      }
    }
    byte[] bytes = new byte[lengthBytes];
    local.get(0, bytes);
    return bytes;
  }

  /** Writes one range, or throws: EFAULT also if a part of it can't be written. */
  public static void write(int pid, long remoteAddress, long localAddress, long lengthBytes) {
    IoVectors vectors = IoVectors.ofThread();
    vectors.setFirst(remoteAddress, lengthBytes);
    ReadResult result = transfer(SyscallNumbers.PROCESS_VM_WRITEV, pid, vectors, 1, localAddress, lengthBytes);
    if (result.bytesRead() != lengthBytes) {
      throw failure("process_vm_writev", pid, remoteAddress, result);
    }
  }

  /** Writes an array. */
  public static void write(int pid, long remoteAddress, byte[] bytes) {
    if (bytes.length > 0) {
      ByteBuffer local = ByteBuffer.allocateDirect(bytes.length).put(0, bytes);
      try {
        write(pid, remoteAddress, Kernel.address(local), bytes.length);
      } finally {
        Reference.reachabilityFence(local);
      }
    }
  }

  static KernelException failure(String call, int pid, long remoteAddress, ReadResult result) {
    int errno = result.errno() == 0 ? Errno.EFAULT : result.errno();
    long place = remoteAddress + result.bytesRead();
    return new KernelException(call, errno, pid, "memory at 0x" + Long.toHexString(place));
  }

  /** Opens {@code /proc/PID/mem}. */
  public static MemFile openMem(int pid) {
    return new MemFile(pid, FileDescriptor.open("/proc/" + pid + "/mem", Constants.O_RDWR));
  }

  /**
   * {@code /proc/PID/mem} of one process: reads and writes whatever the pages' protection is. Writing to a private mapping copies
   * the page for that process alone. It stays bound to the address space that the process had when it was opened.
   */
  public static final class MemFile implements AutoCloseable {
    private final int pid;
    private final FileDescriptor descriptor;

    private MemFile(int pid, FileDescriptor descriptor) {
      this.pid = pid;
      this.descriptor = descriptor;
    }

    /** Reads one range; like {@link RemoteMemory#read(int, long, long, long)} with EIO for a hole at the first byte. */
    public ReadResult read(long remoteAddress, long lengthBytes, long localAddress) {
      return ReadResult.of(transfer(SyscallNumbers.PREAD64, remoteAddress, lengthBytes, localAddress));
    }

    /** Reads a small range as an array, or throws. */
    public byte[] read(long remoteAddress, int lengthBytes) {
      ByteBuffer local = ByteBuffer.allocateDirect(Math.max(1, lengthBytes));
      if (lengthBytes > 0) {
        checkAll("read of /proc/PID/mem", remoteAddress, lengthBytes, read(remoteAddress, lengthBytes, Kernel.address(local)));
      }
      byte[] bytes = new byte[lengthBytes];
      local.get(0, bytes);
      return bytes;
    }

    /** Writes one range, or throws: EIO where nothing is mapped. */
    public void write(long remoteAddress, long localAddress, long lengthBytes) {
      long result = transfer(SyscallNumbers.PWRITE64, remoteAddress, lengthBytes, localAddress);
      checkAll("write to /proc/PID/mem", remoteAddress, lengthBytes, ReadResult.of(result));
    }

    /** Writes an array, or throws. */
    public void write(long remoteAddress, byte[] bytes) {
      if (bytes.length > 0) {
        ByteBuffer local = ByteBuffer.allocateDirect(bytes.length).put(0, bytes);
        try {
          write(remoteAddress, Kernel.address(local), bytes.length);
        } finally {
          Reference.reachabilityFence(local);
        }
      }
    }

    private long transfer(long call, long remoteAddress, long lengthBytes, long localAddress) {
      long done = 0;
      while (done < lengthBytes) {
        long result =
            Kernel.call(call, descriptor.number(), localAddress + done, lengthBytes - done, remoteAddress + done);
        if (result == -Errno.EINTR) {
          continue;
        }
        if (result <= 0) {
          return done > 0 ? done : result;
        }
        done += result;
      }
      return done;
    }

    private void checkAll(String call, long remoteAddress, long lengthBytes, ReadResult result) {
      if (result.bytesRead() != lengthBytes) {
        // No bytes and no error: the address space is gone.
        boolean gone = result.bytesRead() == 0 && result.errno() == 0;
        throw failure(call, pid, remoteAddress, gone ? new ReadResult(0, Errno.ESRCH) : result);
      }
    }

    @Override
    public void close() {
      descriptor.close();
    }
  }
}
