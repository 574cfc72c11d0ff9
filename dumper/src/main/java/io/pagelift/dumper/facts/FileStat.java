package io.pagelift.dumper.facts;

import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.linux.Constants;

/**
 * The status of a file, statx(2).
 *
 * @param device {@code st_dev}, in the kernel's encoding (see {@link #device(int, int)})
 * @param inode inode number
 * @param mode kind and permissions
 * @param linkCount number of names
 * @param uid owner
 * @param gid group
 * @param sizeBytes length
 * @param atimeNanos last access, CLOCK_REALTIME
 * @param mtimeNanos last change of contents, CLOCK_REALTIME
 * @param specialMajor of a device node
 * @param specialMinor of a device node
 * @param allocatedBytes what it takes on disk, holes aside
 */
public record FileStat(
    long device,
    long inode,
    int mode,
    int linkCount,
    int uid,
    int gid,
    long sizeBytes,
    long atimeNanos,
    long mtimeNanos,
    int specialMajor,
    int specialMinor,
    long allocatedBytes) {

  /** The kind bits of {@link #mode}, one of S_IF*. */
  public int kind() {
    return mode & Constants.S_IFMT;
  }

  /** Whether it is a regular file. */
  public boolean regular() {
    return kind() == Constants.S_IFREG;
  }

  /** Whether it is a directory. */
  public boolean directory() {
    return kind() == Constants.S_IFDIR;
  }

  /** Device and inode. */
  public SharedKey key() {
    return new SharedKey(device, inode);
  }

  /** The kernel's encoding of a device number, new_encode_dev() in include/linux/kdev_t.h. */
  public static long device(int major, int minor) {
    return (minor & 0xffL) | ((long) major << 8) | ((minor & ~0xffL) << 12);
  }
}
