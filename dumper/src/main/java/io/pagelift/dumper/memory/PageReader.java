package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ReadResult;
import io.pagelift.linux.RemoteMemory;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads pages of a process, running or frozen, and sends them.
 *
 * <p>One batch is one process_vm_readv of up to 256 pages in up to 256 ranges, straight into the buffer that the wire sends. The
 * call stops at the first page that it cannot read and says how far it came, so the place of a hole is known without searching.
 * What a hole means is decided by reading the mappings again:
 *
 * <ul>
 *   <li>nothing is mapped there any more: the rest of the set is cut down to what is mapped now, and reading goes on behind it;
 *   <li>something is mapped: process_vm_readv obeys the mapping's protection, so the rest of this mapping is read through {@code
 *       /proc/PID/mem}, which does not;
 *   <li>that fails too (a guard page, a file that became shorter): the page is left out, and of a running process twice as many
 *       pages at each further failure, because holes of this kind are long and asking for each page would take a call each.
 * </ul>
 *
 * <p>Pages left out are returned. They are never taken as sent: the caller tells the server to forget them, and the next round
 * sends whatever is there then. An exit of the process ends the reading and is not an error.
 */
public final class PageReader implements PageSource {
  private static final long NO_LIMIT = Long.MAX_VALUE;
  private static final int PAGE_SHIFT = 12;

  private final int pid;
  private final MapsSource maps;
  private final boolean frozen;
  private final PageChannel channel;
  private final BatchEmitter emitter;
  private final ReadPlan plan = new ReadPlan();
  private final PageSet unread = new PageSet();
  private RemoteMemory.@Nullable MemFile mem;
  private PageSet wanted = new PageSet();
  private boolean ownsWanted;
  private long memUntil;
  private long lastFailure = -1;
  private long skipPages = 1;
  private boolean processGone;

  /** Reads the mappings of the process as they are now; empty when it is gone. */
  @FunctionalInterface
  public interface MapsSource {
    /** The mappings, ascending. */
    List<MemoryMap> read();
  }

  /**
   * A reader for one address space and one pass over it.
   *
   * @param pid a process that lives in it
   * @param frozen whether all its threads are stopped: then no page is left out that could be read
   * @param objectId what the pages belong to
   * @param filter may hold pages back when their bytes are there
   */
  public PageReader(
      int pid, boolean frozen, MapsSource maps, PageChannel channel, long objectId, PageFilter filter) {
    this.pid = pid;
    this.frozen = frozen;
    this.maps = maps;
    this.channel = channel;
    this.emitter = new BatchEmitter(channel, objectId, filter);
  }

  @Override
  public void send(PageSet pages) {
    wanted = pages;
    ownsWanted = false;
    long page = wanted.nextMember(0);
    while (page >= 0 && !processGone) {
      long next = sendBatch(page); // May replace the set by one that is cut to what is mapped.
      page = wanted.nextMember(next);
    }
    if (page >= 0) {
      leaveOut(page, NO_LIMIT);
    }
  }

  @Override
  public PageSet unread() {
    return unread;
  }

  @Override
  public boolean processGone() {
    return processGone;
  }

  @Override
  public long dataPages() {
    return emitter.dataPages();
  }

  @Override
  public long filteredPages() {
    return emitter.filteredPages();
  }

  @Override
  public long zeroPages() {
    return emitter.zeroPages();
  }

  @Override
  public void close() {
    if (mem != null) {
      mem.close();
      mem = null;
    }
  }

  private long sendBatch(long page) {
    boolean byMem = page < memUntil;
    plan.fill(wanted, page, byMem ? memUntil : NO_LIMIT);
    PageChannel.Batch batch = channel.acquire();
    boolean passedOn = false;
    try {
      int pages = byMem ? readByMem(batch) : readByVector(batch);
      if (pages > 0) {
        passedOn = true;
        emitter.emit(plan, pages, batch);
      }
      return pages == plan.pageCount() ? plan.endPage() : passHole(plan.page(pages), byMem);
    } finally {
      if (!passedOn) {
        batch.release();
      }
    }
  }

  private int readByVector(PageChannel.Batch batch) {
    ReadResult result = RemoteMemory.read(pid, plan.addresses, plan.lengths, plan.count(), batch.address());
    return wholePages(result, "process_vm_readv");
  }

  private int readByMem(PageChannel.Batch batch) {
    RemoteMemory.MemFile file = openMem();
    int pages = 0;
    for (int i = 0; i < plan.count() && file != null; i++) {
      long into = batch.address() + (long) pages * PageRun.PAGE_BYTES;
      ReadResult result = file.read(plan.addresses[i], plan.lengths[i], into);
      pages += wholePages(result, "read of /proc/PID/mem");
      if (result.bytesRead() == 0 && result.errno() == 0) {
        processGone = true; // End of file: the address space has no users any more.
      }
      if (result.bytesRead() != plan.lengths[i]) {
        break;
      }
    }
    return pages;
  }

  private int wholePages(ReadResult result, String call) {
    if (result.processGone()) {
      processGone = true;
    } else if (result.errno() != 0 && !Holes.isHole(result.errno())) {
      throw new KernelException(call, result.errno(), pid, "memory at 0x" + Long.toHexString(plan.addresses[0]));
    }
    return (int) (result.bytesRead() / PageRun.PAGE_BYTES);
  }

  private RemoteMemory.@Nullable MemFile openMem() {
    if (mem == null) {
      try {
        mem = RemoteMemory.openMem(pid);
      } catch (KernelException failure) {
        if (!failure.processGone()) {
          throw failure;
        }
        processGone = true;
      }
    }
    return mem;
  }

  /** Decides what the unreadable page {@code page} means; returns the page to go on with. */
  private long passHole(long page, boolean byMem) {
    if (processGone) {
      return page;
    }
    List<MemoryMap> now = maps.read();
    cutToMappings(now, page);
    MemoryMap mapping = Holes.mappingAt(now, page * PageRun.PAGE_BYTES);
    if (mapping == null) {
      return page;
    }
    if (!byMem) {
      memUntil = mapping.end() >>> PAGE_SHIFT;
      return page;
    }
    skipPages = frozen || page != lastFailure ? 1 : skipPages * 2;
    long end = Math.min(page + skipPages, mapping.end() >>> PAGE_SHIFT);
    leaveOut(page, end);
    lastFailure = wanted.nextMember(end);
    return end;
  }

  private void cutToMappings(List<MemoryMap> now, long fromPage) {
    long at = fromPage;
    for (MemoryMap mapping : now) {
      long start = mapping.start() >>> PAGE_SHIFT;
      if (start > at) {
        leaveOut(at, start);
      }
      at = Math.max(at, mapping.end() >>> PAGE_SHIFT);
    }
    leaveOut(at, NO_LIMIT);
  }

  private void leaveOut(long firstPage, long endPage) {
    long page = wanted.nextMember(firstPage);
    if (page < 0 || page >= endPage) {
      return;
    }
    if (!ownsWanted) {
      wanted = wanted.copy();
      ownsWanted = true;
    }
    while (page >= 0 && page < endPage) {
      long stop = wanted.nextAbsent(page, endPage);
      unread.add(page, stop);
      page = wanted.nextMember(stop);
    }
    wanted.remove(firstPage, endPage);
  }
}
