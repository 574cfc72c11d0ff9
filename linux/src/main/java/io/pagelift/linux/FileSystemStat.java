package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * What {@code statfs(2)} says about a file system.
 *
 * @param type its magic number, such as {@link #TMPFS}
 * @param blockBytes the unit of the counts of blocks
 * @param blocksAvailable blocks that an ordinary user may still fill
 */
public record FileSystemStat(long type, long blockBytes, long blocks, long blocksFree, long blocksAvailable) {
  // Magic numbers, from <linux/magic.h>.
  public static final long TMPFS = 0x01021994L;
  public static final long HUGETLBFS = 0x958458f6L;
  public static final long PROC = 0x9fa0L;
  public static final long SYSFS = 0x62656572L;
  public static final long OVERLAYFS = 0x794c7630L;
  public static final long NFS = 0x6969L;
  public static final long ANON_INODE = 0x09041934L;
  public static final long PIPEFS = 0x50495045L;
  public static final long SOCKFS = 0x534f434bL;
  public static final long DEVPTS = 0x1cd1L;

  /** The file system of an open file. */
  public static FileSystemStat of(FileDescriptor file) {
    Scratch scratch = Scratch.ofThread();
    long result = Kernel.call(SyscallNumbers.FSTATFS, file.number(), scratch.structAddress());
    Kernel.check(result, "fstatfs", file.object());
    return decode(scratch.struct());
  }

  /** The file system of a path. */
  public static FileSystemStat of(String path) {
    Scratch scratch = Scratch.ofThread();
    long result = Kernel.call(SyscallNumbers.STATFS, scratch.path(path), scratch.structAddress());
    Kernel.check(result, "statfs", path);
    return decode(scratch.struct());
  }

  private static FileSystemStat decode(ByteBuffer statfs) {
    return new FileSystemStat(
        statfs.getLong(0), statfs.getLong(8), statfs.getLong(16), statfs.getLong(24), statfs.getLong(32));
  }
}
