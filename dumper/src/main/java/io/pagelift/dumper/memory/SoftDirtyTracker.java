package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.Pagemap;
import io.pagelift.linux.PagemapScan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tracks writes with soft-dirty bits, on kernels built with CONFIG_MEM_SOFT_DIRTY; see the kernel's {@code
 * admin-guide/mm/soft-dirty.rst}.
 *
 * <p>Reading the bits and clearing them are two steps, and a write between them would be lost: so the process must be frozen in
 * {@link #scanLive} too. The first scan counts everything as written: what the bits said before is not known to be ours.
 *
 * <p>The kernel marks a mapping that is new or has grown as dirty as a whole, and pages that mremap has moved. It does not mark
 * <em>the shared zero page</em>: a page that was dropped (MADV_DONTNEED) and then only read is present and clean, although it is
 * no longer what it was. So the zero page counts as absent. Where the kernel has PAGEMAP_SCAN, it tells; otherwise a clean page that
 * is not this mapping's alone is looked up in {@code /proc/kpageflags}, and counts as written where that cannot be read.
 */
public final class SoftDirtyTracker implements DirtyTracker {
  private static final long FRAME_NUMBER_MASK = (1L << 55) - 1;

  /** KPF_ZERO_PAGE, include/uapi/linux/kernel-page-flags.h. */
  private static final long ZERO_PAGE_FLAG = 1L << 24;

  private final int pid;
  private final boolean pagemapScan;
  private boolean anew = true;

  /**
   * A tracker.
   *
   * @param pagemapScan whether this kernel has PAGEMAP_SCAN; otherwise the entries of {@code /proc/PID/pagemap} are read
   */
  public SoftDirtyTracker(int pid, boolean pagemapScan) {
    this.pid = pid;
    this.pagemapScan = pagemapScan;
  }

  /** The process must be frozen. */
  @Override
  public ScanFindings scanLive(List<MemoryMap> mappings, PageReader.MapsSource rereadMappings) {
    ScanFindings findings = scanFrozen(mappings);
    try {
      Pagemap.clearSoftDirty(pid);
      anew = false;
    } catch (KernelException failure) {
      if (!failure.processGone()) {
        throw failure;
      }
    }
    return findings;
  }

  @Override
  public ScanFindings scanFrozen(List<MemoryMap> mappings) {
    ScanFindings findings = new ScanFindings(true);
    try {
      if (pagemapScan) {
        scan(mappings, findings);
      } else {
        readEntries(mappings, findings);
      }
    } catch (KernelException failure) {
      if (!failure.processGone()) {
        throw failure;
      }
    }
    if (anew) {
      findings.written().addAll(findings.present());
    }
    return findings;
  }

  private void scan(List<MemoryMap> mappings, ScanFindings findings) {
    PagemapScan.RegionSink sink =
        (start, end, categories) -> {
          findings.present().add(start >>> 12, end >>> 12);
          if ((categories & PagemapScan.SOFT_DIRTY) != 0) {
            findings.written().add(start >>> 12, end >>> 12);
          }
        };
    try (WindowedScan scan = WindowedScan.open(pid)) {
      for (MemoryMap mapping : MappingKind.privateOnes(mappings)) {
        scan.present(mapping, 0, PagemapScan.SOFT_DIRTY, sink);
      }
    }
  }

  private void readEntries(List<MemoryMap> mappings, ScanFindings findings) {
    try (Pagemap pagemap = Pagemap.open(pid);
        PageFlags flags = new PageFlags()) {
      for (MemoryMap mapping : MappingKind.privateOnes(mappings)) {
        boolean file = MappingKind.of(mapping) == MappingKind.PRIVATE_FILE;
        for (long at = mapping.start(); at < mapping.end(); ) {
          int count = (int) Math.min(Pagemap.MAX_PAGES, (mapping.end() - at) / PageRun.PAGE_BYTES);
          int read = pagemap.read(at, count);
          if (read == 0) {
            return;
          }
          for (int i = 0; i < read; i++) {
            judge((at >>> 12) + i, pagemap.entry(i), file, flags, findings);
          }
          at += (long) read * PageRun.PAGE_BYTES;
        }
      }
    }
  }

  private static void judge(long page, long entry, boolean file, PageFlags flags, ScanFindings findings) {
    boolean present = Pagemap.present(entry);
    if (!(present || Pagemap.swapped(entry)) || (file && Pagemap.fileOrShared(entry))) {
      return;
    }
    boolean written = Pagemap.softDirty(entry);
    if (!written && present && !Pagemap.exclusive(entry)) {
      Boolean zero = flags.zeroPage(entry & FRAME_NUMBER_MASK);
      if (zero == null) {
        written = true;
      } else if (zero) {
        return;
      }
    }
    findings.present().add(page, page + 1);
    if (written) {
      findings.written().add(page, page + 1);
    }
  }

  @Override
  public void close() {}

  /** {@code /proc/kpageflags}: one 64-bit word of flags for each page frame. Opened when it is first needed. */
  private static final class PageFlags implements AutoCloseable {
    private final NativeBuffer word = NativeBuffer.allocate(Long.BYTES);
    private @Nullable FileDescriptor file;
    private boolean unreadable;
    private long lastZeroFrame;

    /** Whether a page frame is a zero page; {@code null} if this user cannot know. */
    @Nullable Boolean zeroPage(long frame) {
      if (frame == 0 || unreadable) {
        return null;
      }
      if (frame == lastZeroFrame) {
        return true;
      }
      try {
        FileDescriptor open = file;
        if (open == null) {
          open = FileDescriptor.open("/proc/kpageflags", Constants.O_RDONLY);
          file = open;
        }
        if (open.pread(word.address(), Long.BYTES, frame * Long.BYTES) != Long.BYTES) {
          return null;
        }
      } catch (KernelException failure) {
        unreadable = true;
        return null;
      }
      boolean zero = (word.bytes().getLong(0) & ZERO_PAGE_FLAG) != 0;
      lastZeroFrame = zero ? frame : lastZeroFrame;
      return zero;
    }

    @Override
    public void close() {
      if (file != null) {
        file.close();
      }
      word.close();
    }
  }
}
