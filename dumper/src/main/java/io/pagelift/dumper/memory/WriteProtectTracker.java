package io.pagelift.dumper.memory;

import static io.pagelift.linux.PagemapScan.CHECK_WP_ASYNC;
import static io.pagelift.linux.PagemapScan.WP_ALLOWED;
import static io.pagelift.linux.PagemapScan.WP_MATCHING;
import static io.pagelift.linux.PagemapScan.WRITTEN;

import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.PagemapScan;
import io.pagelift.linux.UserFault;
import java.util.List;

/**
 * Tracks writes with an asynchronous write-protecting userfaultfd and PAGEMAP_SCAN (Linux 6.7 and later). The target never waits
 * for us: its first write to a protected page costs it one fault that the kernel resolves alone.
 *
 * <p>A mapping is either tracked, that is: registered with <em>our</em> userfaultfd without a break since the last scan, or it
 * is not, and then every page of it counts as written. Which of the two is asked of the kernel in the scan itself:
 *
 * <ol>
 *   <li>Scan with CHECK_WPASYNC and WP_MATCHING. Success means that everything in the range is write-protect tracked by some
 *       userfaultfd; what comes back was written and is protected again in the same step. EPERM means that some mapping in the
 *       range is not tracked: it is new, moved by mremap, or made by an exec.
 *   <li>Register everything, see {@link WideRegistration}. That is a no-op where it is ours already; what is refused belongs to
 *       a userfaultfd of the target's own, whose re-arming would hide writes from us.
 *   <li>Read the mappings again, and scan all of it that was not found tracked in the first step for everything that is present.
 *       The pages that a first scan had re-armed before it failed are among them, so nothing is lost.
 * </ol>
 *
 * <p>The mask asks for WRITTEN with any of PRESENT and SWAPPED: untouched parts of a mapping count as written too, and a plain
 * WRITTEN would protect and report whole unused reservations. The price is that pages dropped by MADV_DONTNEED are not
 * reported: the scan of the frozen process, which reports what is present, finds them. Of private file mappings only pages
 * that are not the file's own are asked for.
 *
 * <p>Scans go in windows, because the kernel holds the target's mmap lock for reading meanwhile and a thread that wants to map
 * something has to wait for it.
 */
public final class WriteProtectTracker implements DirtyTracker {
  private final int pid;
  private final FileDescriptor userFault;
  private boolean anew;
  private boolean lost;

  /**
   * A tracker.
   *
   * @param userFault a userfaultfd of the target's address space on which UFFDIO_API was done; owned from here on
   * @param anew whether the first scan reports everything: true unless the server holds what earlier scans reported
   */
  public WriteProtectTracker(int pid, FileDescriptor userFault, boolean anew) {
    this.pid = pid;
    this.userFault = userFault;
    this.anew = anew;
  }

  /** The features to ask for with UFFDIO_API. */
  public static long features() {
    return UserFault.FEATURE_WP_ASYNC | UserFault.FEATURE_WP_UNPOPULATED | UserFault.FEATURE_WP_HUGETLBFS_SHMEM;
  }

  /** The userfaultfd. */
  public FileDescriptor userFault() {
    return userFault;
  }

  @Override
  public ScanFindings scanLive(List<MemoryMap> mappings, PageReader.MapsSource rereadMappings) {
    ScanFindings findings = new ScanFindings(false);
    PagemapScan.RegionSink sink =
        (start, end, categories) -> {
          boolean zero = (categories & PagemapScan.PFN_ZERO) != 0;
          (zero ? findings.vacated() : findings.written()).add(start >>> 12, end >>> 12);
        };
    PageSet tracked = new PageSet();
    if (!anew) {
      scan(mappings, (scan, mapping) -> {
        if (scan.written(mapping, CHECK_WP_ASYNC | WP_MATCHING, sink) == 0) {
          tracked.add(mapping.start() >>> 12, mapping.end() >>> 12);
        }
      });
    }
    WideRegistration registration = new WideRegistration(userFault);
    registration.register(mappings);
    tracked.removeAll(registration.refused());
    List<MemoryMap> now = rereadMappings.read();
    scan(now, (scan, mapping) -> scanUntracked(scan, mapping, tracked, registration, findings, sink));
    anew = false;
    lost = !now.isEmpty() && !registration.any();
    return findings;
  }

  /** Reports everything that is present in the parts of a mapping that were not tracked, and begins to track them. */
  private static void scanUntracked(
      WindowedScan scan,
      MemoryMap mapping,
      PageSet tracked,
      WideRegistration registration,
      ScanFindings findings,
      PagemapScan.RegionSink sink) {
    long end = mapping.end() >>> 12;
    long first = tracked.nextAbsent(mapping.start() >>> 12, end);
    while (first < end) {
      long member = tracked.nextMember(first);
      long stop = member < 0 ? end : Math.min(end, member);
      findings.replaced().add(first, stop);
      long flags = registration.refused().countBetween(first, stop) > 0 ? 0 : WP_MATCHING;
      scan.present(mapping, first << 12, stop << 12, flags, 0, sink);
      first = tracked.nextAbsent(stop, end);
    }
  }

  @Override
  public boolean lost() {
    return lost;
  }

  @Override
  public ScanFindings scanFrozen(List<MemoryMap> mappings) {
    ScanFindings findings = new ScanFindings(true);
    scan(mappings, (scan, mapping) -> scanFrozen(scan, mapping, findings));
    return findings;
  }

  private void scanFrozen(WindowedScan scan, MemoryMap mapping, ScanFindings findings) {
    boolean[] trusted = {false};
    scan.present(
        mapping,
        0,
        WP_ALLOWED | WRITTEN,
        (start, end, categories) -> {
          findings.present().add(start >>> 12, end >>> 12);
          if ((categories & (WP_ALLOWED | WRITTEN)) == WP_ALLOWED) {
            trusted[0] = true;
          } else {
            findings.written().add(start >>> 12, end >>> 12);
          }
        });
    if (trusted[0] && UserFault.register(userFault, mapping.start(), mapping.lengthBytes()) != 0) {
      scan.present(mapping, 0, 0, (start, end, categories) -> findings.written().add(start >>> 12, end >>> 12));
    }
  }

  private interface MappingScan {
    void scan(WindowedScan scan, MemoryMap mapping);
  }

  private void scan(List<MemoryMap> mappings, MappingScan each) {
    try (WindowedScan scan = WindowedScan.open(pid)) {
      for (MemoryMap mapping : MappingKind.privateOnes(mappings)) {
        each.scan(scan, mapping);
      }
    } catch (KernelException failure) {
      if (!failure.processGone()) {
        throw failure;
      }
    }
  }

  /** Closes our copy of the userfaultfd; the mappings stay tracked as long as another copy is open. */
  @Override
  public void close() {
    userFault.close();
  }
}
