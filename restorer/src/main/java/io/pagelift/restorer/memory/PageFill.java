package io.pagelift.restorer.memory;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.image.AddressSpace;
import io.pagelift.image.Vma;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import io.pagelift.restorer.source.ImageSource;
import java.util.HashMap;
import java.util.Map;

/**
 * Puts the held pages of an address space into its mappings, which are writable at that time.
 *
 * <p>If the segment files can be opened here, the process reads them itself, straight into place ({@link PageReads}), and if they
 * are many, in several threads ({@link PageFillers}). Otherwise the pages come from the page-server in the restorer's buffers and are
 * written into the process.
 *
 * <p>Zero pages need nothing in anonymous memory; in a private file mapping they hide what the file has there, so they are read
 * from {@code /dev/zero}.
 */
final class PageFill {
  /** 8 MiB: what a thread reads in 4 ms is worth its birth. */
  private static final long PAGES_PER_FILLER = 1 << 11;

  private final int pid;
  private final ImageSource source;
  private final AddressSpace space;
  private final PlaceList data = new PlaceList();
  private final PlaceList zeros = new PlaceList();

  /**
   * Sorts out the pages of an address space.
   *
   * @throws PageliftException CORRUPT if pages are held where the image has no mapping for them
   */
  PageFill(int pid, ImageSource source, AddressSpace space) {
    this.pid = pid;
    this.source = source;
    this.space = space;
    source.forEachPlace(space.getObjectId(), this::sort);
  }

  private void sort(PagePlace place) {
    long page = place.firstPage();
    while (page < place.endPage()) {
      Vma vma = mappingAt(page);
      long end = Math.min(place.endPage(), vma.getEnd() / PageRun.PAGE_BYTES);
      switch (vma.getKind()) {
        case ANONYMOUS -> {
          if (!MappingPlan.droppable(vma)) {
            keep(place, page, end, false);
          }
        }
        case FILE_PRIVATE, SHARED_MEMORY_PRIVATE -> keep(place, page, end, true);
        default -> {
          // The kernel's own pages (vdso, vvar) are the same here; shared memory has its own object.
        }
      }
      page = end;
    }
  }

  private void keep(PagePlace place, long first, long end, boolean zeroCounts) {
    if (!place.zero()) {
      data.add(first, end - first, place.segment(), place.segmentPage() + first - place.firstPage());
    } else if (zeroCounts) {
      zeros.add(first, end - first, PagePlace.ZERO_SEGMENT, 0);
    }
  }

  private Vma mappingAt(long page) {
    long address = page * PageRun.PAGE_BYTES;
    int low = 0;
    int high = space.getVmasCount() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Vma vma = space.getVmas(middle);
      if (address < vma.getStart()) {
        high = middle - 1;
      } else if (address >= vma.getEnd()) {
        low = middle + 1;
      } else {
        return vma;
      }
    }
    throw new PageliftException(
        ErrorCategory.CORRUPT,
        "The image holds a page at 0x"
            + Long.toHexString(address)
            + " of process "
            + pid
            + ", where it has no mapping; it is damaged, dump again.");
  }

  /** Whether pages are put between these addresses. */
  boolean touches(long start, long end) {
    long first = start / PageRun.PAGE_BYTES;
    return data.touches(first, end / PageRun.PAGE_BYTES) || zeros.touches(first, end / PageRun.PAGE_BYTES);
  }

  /** The places that the process reads from segment files, whose checksums are still to be compared. */
  PlaceList data() {
    return data;
  }

  /**
   * Puts all pages in.
   *
   * @param fillerArea start of {@link PageFillers#AREA_BYTES} free bytes
   */
  void fill(RemoteCalls calls, FetchedFiles files, SegmentFiles segments, long fillerArea) {
    if (!data.isEmpty() && segments.readable(data.segment(0))) {
      readOrExplain(calls, files, segments, fillerArea);
    } else if (!data.isEmpty()) {
      write(calls);
    }
    if (!zeros.isEmpty()) {
      clear(calls, files);
    }
  }

  private void clear(RemoteCalls calls, FetchedFiles files) {
    try (FileDescriptor zero = FileDescriptor.open("/dev/zero", Constants.O_RDONLY)) {
      int number = files.number(zero);
      for (int i = 0; i < zeros.size(); i++) {
        long address = zeros.firstPage(i) * PageRun.PAGE_BYTES;
        long length = zeros.pageCount(i) * (long) PageRun.PAGE_BYTES;
        calls.addExpecting("clear pages", length, SyscallNumbers.READ, number, address, length);
      }
      calls.flush();
    }
  }

  /** A read that fails or comes short has its reason in the segments: the check names the damaged page. */
  private void readOrExplain(RemoteCalls calls, FetchedFiles files, SegmentFiles segments, long fillerArea) {
    try {
      readInside(calls, files, segments, fillerArea);
    } catch (RuntimeException failure) {
      for (int i = 0; i < data.size(); i++) {
        source.check(data.place(i));
      }
      throw failure;
    }
  }

  private void readInside(RemoteCalls calls, FetchedFiles files, SegmentFiles segments, long fillerArea) {
    Map<Integer, Integer> numbers = new HashMap<>();
    long pages = 0;
    for (int i = 0; i < data.size(); i++) {
      numbers.computeIfAbsent(data.segment(i), segment -> files.number(segments.open(segment)));
      pages += data.pageCount(i);
    }
    PageReads reads = new PageReads(data, numbers);
    calls.flush();
    long fillers = Math.min(pages / PAGES_PER_FILLER, Math.min(PageFillers.MAX_COUNT, Runtime.getRuntime().availableProcessors()));
    if (fillers > 1) {
      PageFillers.run(calls, fillerArea, (int) fillers, reads);
    }
    while (!reads.exhausted()) {
      reads.queue(calls);
      calls.flush();
    }
  }

  private void write(RemoteCalls calls) {
    calls.flush();
    PageRuns.Builder wanted = new PageRuns.Builder();
    for (int i = 0; i < data.size(); i++) {
      wanted.add(data.firstPage(i), data.firstPage(i) + data.pageCount(i));
    }
    source.read(
        space.getObjectId(),
        wanted.build(),
        (firstPage, pageCount, bytes) ->
            RemoteMemory.write(
                pid, firstPage * PageRun.PAGE_BYTES, Kernel.address(bytes) + bytes.position(), bytes.remaining()));
  }
}
