package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * The {@code PAGEMAP_SCAN} ioctl (Linux 6.7): which pages of a process have which properties, and write-protecting them again in
 * the same atomic step. See the kernel's {@code admin-guide/mm/pagemap.rst}.
 *
 * <p>One scan is several calls when the answer has more regions than the vector holds. With write protection this loses nothing:
 * the kernel protects exactly what it reports. The target may run. Not for use by two threads at once.
 */
public final class PagemapScan implements AutoCloseable {
  // Categories of a page.
  public static final long WP_ALLOWED = 1;
  public static final long WRITTEN = 2;
  public static final long FILE = 4;
  public static final long PRESENT = 8;
  public static final long SWAPPED = 16;
  public static final long PFN_ZERO = 32;
  public static final long HUGE = 64;
  public static final long SOFT_DIRTY = 128;
  public static final long GUARD = 256;

  // Flags of a scan.
  public static final long WP_MATCHING = 1;
  public static final long CHECK_WP_ASYNC = 2;

  private static final long REQUEST = 0xc0606610L;
  private static final int ARGUMENT_BYTES = 96;
  private static final int REGION_BYTES = 24;
  private static final int WALK_END_OFFSET = 32;

  /** The vector may be overwritten by the probe: its regions have been delivered by then. */
  private static final int PROBE_OFFSET = ARGUMENT_BYTES;

  private static final int PROBE_BYTES = 8;

  /** 96 KiB: with pages written here and there one call answers for up to 4,096 of them. */
  private static final int VECTOR_REGIONS = 4096;

  private final int pid;
  private final FileDescriptor pagemap;
  private final NativeBuffer memory =
      NativeBuffer.allocate(ARGUMENT_BYTES + (long) VECTOR_REGIONS * REGION_BYTES);
  private final ByteBuffer bytes = memory.bytes();

  private PagemapScan(int pid, FileDescriptor pagemap) {
    this.pid = pid;
    this.pagemap = pagemap;
  }

  /**
   * What to look for. A page matches if, with the bits of {@code invertedMask} flipped, it has all categories of {@code mask}
   * and, unless that is 0, one of {@code anyOfMask}.
   *
   * @param flags {@link #WP_MATCHING}, {@link #CHECK_WP_ASYNC}
   * @param returnMask the categories that are reported; regions that differ in them are reported apart
   */
  public record Query(long flags, long invertedMask, long mask, long anyOfMask, long returnMask) {}

  /** Gets the regions of a scan, in ascending order. */
  @FunctionalInterface
  public interface RegionSink {
    /** Pages from {@code start} up to {@code end} with these categories. */
    void region(long start, long end, long categories);
  }

  /**
   * The end of a scan.
   *
   * @param endReached the address up to which the range was scanned: the range's end unless there was an error
   * @param errno 0, or why it stopped: EPERM when a mapping is not registered and {@link #CHECK_WP_ASYNC} was asked for or its
   *     userfaultfd is closed, ESRCH when the address space was gone at the end: then the regions are not all
   * @param pageCount pages in the regions reported
   */
  public record Scan(long endReached, int errno, long regionCount, long pageCount) {}

  /** Opens the pagemap of a process. */
  public static PagemapScan open(int pid) {
    return new PagemapScan(pid, FileDescriptor.open("/proc/" + pid + "/pagemap", Constants.O_RDONLY));
  }

  /** The process. */
  public int pid() {
    return pid;
  }

  /**
   * Scans the pages of a range. It does not throw for what the kernel says.
   *
   * @param start first address, page-aligned
   * @param end the address behind the last, page-aligned
   */
  public Scan scan(long start, long end, Query query, RegionSink sink) {
    long address = memory.address();
    fillArgument(end, query);
    long at = start;
    long regionCount = 0;
    long pageCount = 0;
    while (Long.compareUnsigned(at, end) < 0) {
      bytes.putLong(16, at).putLong(WALK_END_OFFSET, 0);
      long result = pagemap.ioctl(REQUEST, address);
      if (result == -Errno.EINTR) {
        continue;
      }
      if (Kernel.failed(result)) {
        return new Scan(at, (int) -result, regionCount, pageCount);
      }
      for (int i = 0; i < result; i++) {
        int entry = ARGUMENT_BYTES + i * REGION_BYTES;
        long regionStart = bytes.getLong(entry);
        long regionEnd = bytes.getLong(entry + 8);
        pageCount += (regionEnd - regionStart) / Kernel.PAGE_BYTES;
        sink.region(regionStart, regionEnd, bytes.getLong(entry + 16));
      }
      regionCount += result;
      long walkEnd = bytes.getLong(WALK_END_OFFSET);
      if (Long.compareUnsigned(walkEnd, at) <= 0) {
        // An address space that is being torn down answers without walking; never loop on it.
        return new Scan(at, Errno.ESRCH, regionCount, pageCount);
      }
      at = walkEnd;
    }
    return new Scan(at, addressSpaceGone() ? Errno.ESRCH : 0, regionCount, pageCount);
  }

  /**
   * Whether the process has let its memory go (exit or exec). The ioctl does not tell: it then finds no pages and succeeds, as if
   * nothing had been written. A plain read of the same file gives no bytes any more. A yes after a scan does not say when.
   */
  public boolean addressSpaceGone() {
    return pagemap.pread(memory.address() + PROBE_OFFSET, PROBE_BYTES, 0) == 0;
  }

  /** struct pm_scan_arg: size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, return. */
  private void fillArgument(long end, Query query) {
    bytes.putLong(0, ARGUMENT_BYTES);
    bytes.putLong(8, query.flags());
    bytes.putLong(24, end);
    bytes.putLong(40, memory.address() + ARGUMENT_BYTES);
    bytes.putLong(48, VECTOR_REGIONS);
    bytes.putLong(56, 0);
    bytes.putLong(64, query.invertedMask());
    bytes.putLong(72, query.mask());
    bytes.putLong(80, query.anyOfMask());
    bytes.putLong(88, query.returnMask());
  }

  @Override
  public void close() {
    pagemap.close();
    memory.close();
  }
}
