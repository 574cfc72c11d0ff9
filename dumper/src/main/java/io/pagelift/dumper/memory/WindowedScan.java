package io.pagelift.dumper.memory;

import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.PagemapScan;
import io.pagelift.linux.PagemapScan.Query;

/** PAGEMAP_SCAN over one mapping at a time, in windows, with the masks that fit the mapping's kind. */
final class WindowedScan implements AutoCloseable {
  /** About 2 ms of page tables in the worst case; long enough that the calls themselves do not show. */
  private static final long WINDOW_BYTES = 64L << 20;

  private static final long THERE = PagemapScan.PRESENT | PagemapScan.SWAPPED;

  private final PagemapScan scan;
  private final long guard;

  private WindowedScan(PagemapScan scan, long guard) {
    this.scan = scan;
    this.guard = guard;
  }

  /** Opens the pagemap of the address space that the process has now. */
  static WindowedScan open(int pid) {
    PagemapScan scan = PagemapScan.open(pid);
    // Guard pages look like swapped ones. Kernels before 6.16 do not know the category and answer EINVAL.
    Query probe = new Query(0, 0, PagemapScan.GUARD, 0, PagemapScan.GUARD);
    boolean known = scan.scan(0, 4096, probe, (start, end, categories) -> {}).errno() != Errno.EINVAL;
    return new WindowedScan(scan, known ? PagemapScan.GUARD : 0);
  }

  /** Reports pages that are there and were written since they were last protected; the zero page apart. Returns 0 or the errno. */
  int written(MemoryMap mapping, long flags, PagemapScan.RegionSink sink) {
    long without = guard | own(mapping);
    Query query = new Query(flags, without, without | PagemapScan.WRITTEN, THERE, PagemapScan.PFN_ZERO);
    return run(mapping, mapping.start(), mapping.end(), query, sink);
  }

  /** Reports pages that are there, but not the shared zero page, split by the categories of {@code reported}. */
  int present(MemoryMap mapping, long flags, long reported, PagemapScan.RegionSink sink) {
    return present(mapping, mapping.start(), mapping.end(), flags, reported, sink);
  }

  /** The same for a part of a mapping. */
  int present(
      MemoryMap mapping, long start, long end, long flags, long reported, PagemapScan.RegionSink sink) {
    long without = guard | own(mapping) | PagemapScan.PFN_ZERO;
    long returned = reported == 0 ? PagemapScan.PFN_ZERO : reported;
    return run(mapping, start, end, new Query(flags, without, without, THERE, returned), sink);
  }

  private static long own(MemoryMap mapping) {
    return MappingKind.of(mapping) == MappingKind.PRIVATE_FILE ? PagemapScan.FILE : 0;
  }

  private int run(MemoryMap mapping, long start, long end, Query query, PagemapScan.RegionSink sink) {
    for (long at = start; at < end; at += WINDOW_BYTES) {
      int errno = scan.scan(at, Math.min(end, at + WINDOW_BYTES), query, sink).errno();
      if (errno != 0 && errno != Errno.EPERM && errno != Errno.ESRCH) {
        throw new KernelException("ioctl PAGEMAP_SCAN", errno, scan.pid(), "mapping " + mapping.mapFileName());
      }
      if (errno != 0) {
        return errno;
      }
    }
    return 0;
  }

  @Override
  public void close() {
    scan.close();
  }
}
