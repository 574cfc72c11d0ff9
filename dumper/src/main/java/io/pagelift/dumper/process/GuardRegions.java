package io.pagelift.dumper.process;

import io.pagelift.image.GuardRegion;
import io.pagelift.image.Vma;
import io.pagelift.linux.PagemapScan;
import io.pagelift.linux.PagemapScan.Query;
import java.util.ArrayList;
import java.util.List;

/**
 * The pages of a process that fault although they are mapped: madvise(2), MADV_GUARD_INSTALL (Linux 6.13). They are marks in the
 * page tables, which PAGEMAP_SCAN shows since Linux 6.15; on the kernels between, reading such a page fails, and the dump with it.
 *
 * @param regions ascending; neighbours are one region, whatever mappings they lie in
 */
record GuardRegions(List<GuardRegion> regions) {
  /** The end of what mmap(2) gives out on x86-64 unless asked for more (five-level page tables). */
  private static final long USER_END = (1L << 47) - 4096;

  /** Looks at a whole address space: it takes a walk of its page tables. */
  static GuardRegions read(int pid) {
    List<GuardRegion> regions = new ArrayList<>();
    Query query = new Query(0, 0, PagemapScan.GUARD, 0, PagemapScan.GUARD);
    try (PagemapScan scan = PagemapScan.open(pid)) {
      scan.scan(
          0,
          USER_END,
          query,
          (start, end, categories) -> regions.add(GuardRegion.newBuilder().setStart(start).setEnd(end).build()));
    }
    return new GuardRegions(regions);
  }

  /** Adds those that lie in a mapping, cut to it. */
  void addTo(Vma.Builder vma) {
    for (GuardRegion region : regions) {
      long start = Math.max(region.getStart(), vma.getStart());
      long end = Math.min(region.getEnd(), vma.getEnd());
      if (start < end) {
        vma.addGuards(GuardRegion.newBuilder().setStart(start).setEnd(end));
      }
    }
  }
}
