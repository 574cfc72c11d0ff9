package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.Pagemap;
import io.pagelift.linux.PagemapScan;
import java.util.List;

/**
 * Knows what is present, not what was written: every page that is there is read again. With a {@link PageHashes} filter this is
 * the tracker {@code compare}, which works on any kernel; without one it sends everything.
 */
public final class PresenceTracker implements DirtyTracker {
  private final int pid;
  private final boolean pagemapScan;
  private final PageFilter filter;

  /**
   * A tracker.
   *
   * @param pagemapScan whether this kernel has PAGEMAP_SCAN; otherwise the entries of {@code /proc/PID/pagemap} are read
   */
  public PresenceTracker(int pid, boolean pagemapScan, PageFilter filter) {
    this.pid = pid;
    this.pagemapScan = pagemapScan;
    this.filter = filter;
  }

  @Override
  public ScanFindings scanLive(List<MemoryMap> mappings, PageReader.MapsSource rereadMappings) {
    return scanFrozen(mappings);
  }

  @Override
  public ScanFindings scanFrozen(List<MemoryMap> mappings) {
    ScanFindings findings = new ScanFindings(true);
    try {
      if (pagemapScan) {
        scan(mappings, findings.present());
      } else {
        readEntries(mappings, findings.present());
      }
    } catch (KernelException failure) {
      if (!failure.processGone()) {
        throw failure;
      }
    }
    findings.written().addAll(findings.present());
    return findings;
  }

  @Override
  public PageFilter filter() {
    return filter;
  }

  private void scan(List<MemoryMap> mappings, PageSet present) {
    PagemapScan.RegionSink sink = (start, end, categories) -> present.add(start >>> 12, end >>> 12);
    try (WindowedScan scan = WindowedScan.open(pid)) {
      for (MemoryMap mapping : MappingKind.privateOnes(mappings)) {
        scan.present(mapping, 0, 0, sink);
      }
    }
  }

  private void readEntries(List<MemoryMap> mappings, PageSet present) {
    try (Pagemap pagemap = Pagemap.open(pid)) {
      for (MemoryMap mapping : MappingKind.privateOnes(mappings)) {
        boolean file = MappingKind.of(mapping) == MappingKind.PRIVATE_FILE;
        for (long at = mapping.start(); at < mapping.end(); ) {
          int count = (int) Math.min(Pagemap.MAX_PAGES, (mapping.end() - at) / PageRun.PAGE_BYTES);
          int read = pagemap.read(at, count);
          if (read == 0) {
            return;
          }
          addPresent(pagemap, at >>> 12, read, file, present);
          at += (long) read * PageRun.PAGE_BYTES;
        }
      }
    }
  }

  private static void addPresent(Pagemap pagemap, long firstPage, int count, boolean file, PageSet present) {
    for (int i = 0; i < count; i++) {
      long entry = pagemap.entry(i);
      boolean there = Pagemap.present(entry) || Pagemap.swapped(entry);
      if (there && !(file && Pagemap.fileOrShared(entry))) {
        present.add(firstPage + i, firstPage + i + 1);
      }
    }
  }

  @Override
  public void close() {}
}
