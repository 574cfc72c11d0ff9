package io.pagelift.linux;

/**
 * One line of {@code /proc/PID/maps}: a mapping (VMA).
 *
 * @param start first address
 * @param end the address behind the last one
 * @param protection {@code PROT_*} bits
 * @param shared whether it is MAP_SHARED
 * @param fileOffsetBytes where in the file the mapping starts
 * @param devMajor the device of the file as the kernel shows it here; on some file systems stat(2) says another
 * @param inode 0 for memory without a file
 * @param path the file's path, a name such as {@code [heap]} or {@code anon_inode:[...]}, or empty. Line feeds are real ones
 *     again. {@code " (deleted)"} at the end means an unlinked file, unless the name truly ends so: ask {@link Stat}
 */
public record MemoryMap(
    long start,
    long end,
    int protection,
    boolean shared,
    long fileOffsetBytes,
    int devMajor,
    int devMinor,
    long inode,
    String path) {

  /** What the kernel appends to the path of an unlinked file. */
  public static final String DELETED_MARK = " (deleted)";

  /** The length in bytes. */
  public long lengthBytes() {
    return end - start;
  }

  /** The length in 4 KiB pages. */
  public long pageCount() {
    return (end - start) / Kernel.PAGE_BYTES;
  }

  /** Whether it may be read. */
  public boolean readable() {
    return (protection & Constants.PROT_READ) != 0;
  }

  /** Whether it may be written. */
  public boolean writable() {
    return (protection & Constants.PROT_WRITE) != 0;
  }

  /** Whether it may be executed. */
  public boolean executable() {
    return (protection & Constants.PROT_EXEC) != 0;
  }

  /** Whether there is a file (also one without a name, such as a memfd) behind it. */
  public boolean hasFile() {
    return inode != 0;
  }

  /** Whether it is private memory without a file. */
  public boolean privateAnonymous() {
    return !shared && inode == 0 && !kernelProvided();
  }

  /** Whether the kernel made it and no one can register or read pages of it as usual: vdso, vvar, vsyscall, uprobes. */
  public boolean kernelProvided() {
    return path.equals("[vdso]")
        || path.startsWith("[vvar")
        || path.equals("[vsyscall]")
        || path.equals("[uprobes]");
  }

  /** Whether the path ends with the kernel's mark of an unlinked file. */
  public boolean markedDeleted() {
    return path.endsWith(DELETED_MARK);
  }

  /** The path without the mark of an unlinked file. */
  public String pathWithoutMark() {
    return markedDeleted() ? path.substring(0, path.length() - DELETED_MARK.length()) : path;
  }

  /** Whether an address is inside. */
  public boolean contains(long address) {
    return Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, end) < 0;
  }

  /** The mapping's name under {@code /proc/PID/map_files}. */
  public String mapFileName() {
    return Long.toHexString(start) + "-" + Long.toHexString(end);
  }
}
