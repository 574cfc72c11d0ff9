package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * Plain {@code /proc/PID/pagemap}: one 64-bit entry for each page, on every kernel. See the kernel's {@code
 * admin-guide/mm/pagemap.rst}.
 */
public final class Pagemap implements AutoCloseable {
  /** The most pages of one read: 64 KiB of entries describe 32 MiB. */
  public static final int MAX_PAGES = 8192;

  private static final int ENTRY_BYTES = 8;
  private static final long SOFT_DIRTY_BIT = 1L << 55;
  private static final long EXCLUSIVE_BIT = 1L << 56;
  private static final long WRITE_PROTECTED_BIT = 1L << 57;
  private static final long FILE_OR_SHARED_BIT = 1L << 61;
  private static final long SWAPPED_BIT = 1L << 62;
  private static final long PRESENT_BIT = 1L << 63;

  private final FileDescriptor file;
  private final NativeBuffer memory = NativeBuffer.allocate((long) MAX_PAGES * ENTRY_BYTES);
  private final ByteBuffer bytes = memory.bytes();

  private Pagemap(FileDescriptor file) {
    this.file = file;
  }

  /** Opens the pagemap of a process. */
  public static Pagemap open(int pid) {
    return new Pagemap(FileDescriptor.open("/proc/" + pid + "/pagemap", Constants.O_RDONLY));
  }

  /**
   * Reads the entries of the pages from {@code start} on; {@link #entry} gives them until the next read.
   *
   * @param pageCount at most {@link #MAX_PAGES}
   * @return how many entries there are: fewer only at the end of the address space, 0 if the process's memory is gone
   */
  public int read(long start, int pageCount) {
    int wanted = Math.min(pageCount, MAX_PAGES) * ENTRY_BYTES;
    int count = file.pread(memory.address(), wanted, start / Kernel.PAGE_BYTES * ENTRY_BYTES);
    return count / ENTRY_BYTES;
  }

  /** The entry of the page at this index of the last read. */
  public long entry(int index) {
    return bytes.getLong(index * ENTRY_BYTES);
  }

  /** Whether the page is in memory. */
  public static boolean present(long entry) {
    return (entry & PRESENT_BIT) != 0;
  }

  /** Whether the page is in swap. */
  public static boolean swapped(long entry) {
    return (entry & SWAPPED_BIT) != 0;
  }

  /** Whether the page belongs to a file or to shared memory, and is not a private copy. */
  public static boolean fileOrShared(long entry) {
    return (entry & FILE_OR_SHARED_BIT) != 0;
  }

  /** Whether only one mapping maps the page. */
  public static boolean exclusive(long entry) {
    return (entry & EXCLUSIVE_BIT) != 0;
  }

  /** Whether the page is write-protected through a userfaultfd. */
  public static boolean writeProtected(long entry) {
    return (entry & WRITE_PROTECTED_BIT) != 0;
  }

  /** Whether the page was written since {@link #clearSoftDirty}; never on kernels without CONFIG_MEM_SOFT_DIRTY. */
  public static boolean softDirty(long entry) {
    return (entry & SOFT_DIRTY_BIT) != 0;
  }

  /** Forgets what was written: writes 4 to {@code /proc/PID/clear_refs}. The process faults once on its next write to each page. */
  public static void clearSoftDirty(int pid) {
    try (FileDescriptor clear = FileDescriptor.open("/proc/" + pid + "/clear_refs", Constants.O_WRONLY)) {
      clear.writeFully(new byte[] {'4'});
    }
  }

  @Override
  public void close() {
    file.close();
    memory.close();
  }
}
