package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.AT_FDCWD;
import static io.pagelift.linux.Constants.S_IFLNK;
import static io.pagelift.linux.Constants.S_IFMT;

import io.pagelift.image.GhostFile;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Owner, permissions and times of a file that was made anew. */
final class FileAttributes {
  private static final long NANOS = 1_000_000_000L;
  private static final int TIMES_BYTES = 32;

  private FileAttributes() {}

  /**
   * Sets them all.
   *
   * @param openPath an entry under {@code /proc/self/fd}: it leads to the file itself, also to a symbolic link
   */
  static void set(String openPath, GhostFile ghost) {
    byte[] name = openPath.getBytes(StandardCharsets.US_ASCII);
    try (NativeBuffer buffer = NativeBuffer.allocate(TIMES_BYTES + name.length + 1)) {
      ByteBuffer bytes = buffer.bytes();
      bytes.put(TIMES_BYTES, name).put(TIMES_BYTES + name.length, (byte) 0);
      long path = buffer.address() + TIMES_BYTES;
      // Owner first: it takes away set-user-id bits.
      check(Kernel.call(SyscallNumbers.FCHOWNAT, AT_FDCWD, path, ghost.getUid(), ghost.getGid(), 0), "fchownat", ghost);
      if ((ghost.getMode() & S_IFMT) != S_IFLNK) {
        check(Kernel.call(SyscallNumbers.FCHMODAT, AT_FDCWD, path, ghost.getMode() & 07777), "fchmodat", ghost);
      }
      bytes.putLong(0, ghost.getAtimeNanos() / NANOS).putLong(8, ghost.getAtimeNanos() % NANOS);
      bytes.putLong(16, ghost.getMtimeNanos() / NANOS).putLong(24, ghost.getMtimeNanos() % NANOS);
      check(Kernel.call(SyscallNumbers.UTIMENSAT, AT_FDCWD, path, buffer.address(), 0), "utimensat", ghost);
    }
  }

  private static void check(long result, String call, GhostFile ghost) {
    Kernel.check(result, call, PathText.of(ghost.getNames(0)));
  }
}
