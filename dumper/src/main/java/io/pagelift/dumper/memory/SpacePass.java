package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import io.pagelift.linux.MemoryMap;
import java.util.ArrayList;
import java.util.List;

/**
 * One pass over one address space: scan, decide, read, send.
 *
 * <p>The rule that everything here serves: <b>a page is left out only if the server holds the page of this very mapping and it
 * was not written since</b>. So a pass sends
 *
 * <ul>
 *   <li>pages that were written since the last scan, or of which that is not known;
 *   <li>in the frozen pass also every page that is present and that the server does not hold, whatever its dirty bit says;
 * </ul>
 *
 * and takes back (DROP) what the server holds of pages that are no longer there, that belonged to a mapping that another one
 * has replaced, or that were written but could not be read: a stale page must never look held.
 */
public final class SpacePass {
  /** Nearly the most that a {@link PageRun} can say; a multiple of every page and table size. */
  private static final long MAX_RUN_PAGES = 1L << 30;

  private static final int PAGE_SHIFT = 12;

  private final TrackedSpace space;
  private final boolean frozen;
  private final PageChannel channel;

  /** A pass over {@code space} that sends into {@code channel}. */
  public SpacePass(TrackedSpace space, boolean frozen, PageChannel channel) {
    this.space = space;
    this.frozen = frozen;
    this.channel = channel;
  }

  /**
   * What a scan has found to do.
   *
   * @param wanted pages to send
   * @param stale pages to take back
   * @param scanNanos how long the scan took
   */
  public record Decision(PageSet wanted, PageSet stale, long scanNanos) {}

  /**
   * Runs the whole pass with a {@link PageReader}.
   *
   * @param mappings all mappings, as just read (or as read in the freeze)
   * @param rereadMappings reads them again when a hole shows up
   */
  public PassResult run(List<MemoryMap> mappings, PageReader.MapsSource rereadMappings) {
    Decision decision = decide(mappings, rereadMappings);
    try (PageReader reader = reader(rereadMappings)) {
      return send(decision, reader);
    }
  }

  /** A reader for the pages of this space. */
  public PageReader reader(PageReader.MapsSource rereadMappings) {
    return new PageReader(
        space.pid(), frozen, rereadMappings, channel, space.objectId(), filter(space.held()));
  }

  /** Scans and decides. What it decides must be sent by the same pass, or tracking is broken. */
  public Decision decide(List<MemoryMap> mappings, PageReader.MapsSource rereadMappings) {
    long scanStart = System.nanoTime();
    ScanFindings findings = frozen ? space.tracker().scanFrozen(mappings) : space.tracker().scanLive(mappings, rereadMappings);
    PageSet held = space.held();
    PageSet wanted = findings.written();
    PageSet stale = held.copy();
    if (findings.complete()) {
      PageSet missing = findings.present().copy();
      missing.removeAll(held);
      wanted.addAll(missing);
      stale.removeAll(findings.present());
    } else {
      keepStale(stale, mappings, findings);
    }
    stale.removeAll(wanted);
    return new Decision(wanted, stale, System.nanoTime() - scanStart);
  }

  /** Sends what was decided. */
  public PassResult send(Decision decision, PageSource source) {
    long readStart = System.nanoTime();
    PageSet held = space.held();
    PageSet wanted = decision.wanted();
    channel.expect(wanted.pageCount());
    long droppedPages = drop(decision.stale());
    source.send(wanted);
    PageSet lost = source.unread().copy();
    lost.retainAll(held);
    droppedPages += drop(lost);
    held.removeAll(decision.stale());
    held.addAll(wanted);
    long scannedPages = held.pageCount();
    held.removeAll(source.unread());
    return new PassResult(
        scannedPages,
        scannedPages - wanted.pageCount() + source.filteredPages(),
        source.dataPages(),
        source.zeroPages(),
        droppedPages,
        source.unread().pageCount(),
        source.processGone(),
        decision.scanNanos(),
        System.nanoTime() - readStart);
  }

  /** What the filter holds back must be held by the server, whatever the filter thinks. */
  private PageFilter filter(PageSet held) {
    PageFilter filter = space.tracker().filter();
    if (filter == PageFilter.SEND_ALL) {
      return filter;
    }
    return (page, address) -> {
      boolean changed = filter.mustSend(page, address);
      return changed || !held.contains(page);
    };
  }

  /** Reduces what is held to what a scan of the running process proves to be stale. */
  private static void keepStale(PageSet held, List<MemoryMap> mappings, ScanFindings findings) {
    PageSet good = new PageSet();
    for (MemoryMap mapping : MappingKind.privateOnes(mappings)) {
      good.add(mapping.start() >>> PAGE_SHIFT, mapping.end() >>> PAGE_SHIFT);
    }
    good.removeAll(findings.replaced());
    good.removeAll(findings.vacated());
    held.removeAll(good);
  }

  private long drop(PageSet pages) {
    if (pages.isEmpty()) {
      return 0;
    }
    List<PageRun> runs = new ArrayList<>();
    pages.forEachRun(
        (first, count) -> {
          for (long at = first; at < first + count; at += MAX_RUN_PAGES) {
            runs.add(PageRun.drop(at, (int) Math.min(MAX_RUN_PAGES, first + count - at)));
          }
        });
    channel.send(space.objectId(), runs);
    return pages.pageCount();
  }
}
