package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * What {@code statx(2)} says about a file.
 *
 * @param mode type and permission bits
 * @param linkCount number of names; 0 for an unlinked file
 * @param sizeBytes length
 * @param blocks allocated blocks of 512 bytes
 * @param blockBytes preferred size of reads and writes
 * @param mountId the mount's id, as in {@code /proc/PID/mountinfo}
 * @param accessTime last access
 * @param modifyTime last change of contents
 * @param changeTime last change of the inode
 */
public record Stat(
    int mode,
    long inode,
    long linkCount,
    int uid,
    int gid,
    long sizeBytes,
    long blocks,
    int blockBytes,
    int devMajor,
    int devMinor,
    int rdevMajor,
    int rdevMinor,
    long mountId,
    TimeSpec accessTime,
    TimeSpec modifyTime,
    TimeSpec changeTime) {

  private static final int BASIC_STATS_AND_MOUNT_ID = 0x17ff;

  /** The file of a path; a symbolic link in the last place is followed. */
  public static Stat of(String path) {
    return read(Constants.AT_FDCWD, path, 0, path);
  }

  /** The file of a path, the link itself if it is one. */
  public static Stat ofLink(String path) {
    return read(Constants.AT_FDCWD, path, Constants.AT_SYMLINK_NOFOLLOW, path);
  }

  static Stat read(int directory, String path, int flags, String object) {
    Scratch scratch = Scratch.ofThread();
    long result =
        Kernel.call(
            SyscallNumbers.STATX,
            directory,
            scratch.path(path),
            flags,
            BASIC_STATS_AND_MOUNT_ID,
            scratch.structAddress());
    Kernel.check(result, "statx", object);
    return decode(scratch.struct());
  }

  private static Stat decode(ByteBuffer statx) {
    return new Stat(
        statx.getShort(28) & 0xffff,
        statx.getLong(32),
        statx.getInt(16) & 0xffffffffL,
        statx.getInt(20),
        statx.getInt(24),
        statx.getLong(40),
        statx.getLong(48),
        statx.getInt(4),
        statx.getInt(136),
        statx.getInt(140),
        statx.getInt(128),
        statx.getInt(132),
        statx.getLong(144),
        new TimeSpec(statx.getLong(64), statx.getInt(72)),
        new TimeSpec(statx.getLong(112), statx.getInt(120)),
        new TimeSpec(statx.getLong(96), statx.getInt(104)));
  }

  /** The kind of file: one of the {@code S_IF*} constants. */
  public int type() {
    return mode & Constants.S_IFMT;
  }

  /** The permission bits with set-uid, set-gid and sticky. */
  public int permissions() {
    return mode & 07777;
  }

  /** Whether it is a regular file. */
  public boolean isRegular() {
    return type() == Constants.S_IFREG;
  }

  /** Whether it is a directory. */
  public boolean isDirectory() {
    return type() == Constants.S_IFDIR;
  }

  /** Whether both are the same file. */
  public boolean sameFile(Stat other) {
    return inode == other.inode && devMajor == other.devMajor && devMinor == other.devMinor;
  }
}
