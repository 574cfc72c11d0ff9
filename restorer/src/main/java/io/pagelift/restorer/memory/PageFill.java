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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Puts the held pages of an address space into its mappings, which are writable at that time.
 *
 * <p>If the segment files can be opened here, the process reads them itself, straight into place: one {@code preadv} takes
 * as many neighbouring pages of a segment as there are, whatever mappings they belong to, because the store keeps pages in
 * (process, address) order. Otherwise the pages come from the page-server in the restorer's buffers and are written into the process.
 *
 * <p>Zero pages need nothing in anonymous memory; in a private file mapping they hide what the file has there, so they are read
 * from {@code /dev/zero}.
 */
final class PageFill {
  /** What one preadv takes at most: iovec entries (the kernel's UIO_MAXIOV) and bytes. */
  private static final int MAX_VECTORS = 1024;

  private static final long MAX_READ_BYTES = PlaceList.MAX_PAGES * (long) PageRun.PAGE_BYTES;

  /** What one batch reads at most, so that it ends within its bound from a slow disk too. */
  private static final long MAX_BATCH_BYTES = 256L << 20;

  private static final int VECTOR_BYTES = 16;

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

  /** Puts all pages in. */
  void fill(RemoteCalls calls, FetchedFiles files, SegmentFiles segments) {
    if (!data.isEmpty() && segments.readable(data.segment(0))) {
      readOrExplain(calls, files, segments);
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
  private void readOrExplain(RemoteCalls calls, FetchedFiles files, SegmentFiles segments) {
    try {
      readInside(calls, files, segments);
    } catch (RuntimeException failure) {
      for (int i = 0; i < data.size(); i++) {
        source.check(data.place(i));
      }
      throw failure;
    }
  }

  private void readInside(RemoteCalls calls, FetchedFiles files, SegmentFiles segments) {
    int from = 0;
    long queuedBytes = 0;
    while (from < data.size()) {
      int to = from + 1;
      long bytes = bytes(from);
      while (to < data.size() && to - from < MAX_VECTORS && data.follows(to) && bytes + bytes(to) <= MAX_READ_BYTES) {
        bytes += bytes(to++);
      }
      if (queuedBytes + bytes > MAX_BATCH_BYTES) {
        calls.flush();
        queuedBytes = 0;
      }
      queuedBytes += bytes;
      read(calls, files.number(segments.open(data.segment(from))), from, to, bytes);
      from = to;
    }
    calls.flush();
  }

  private void read(RemoteCalls calls, int file, int from, int to, long bytes) {
    ByteBuffer vectors = ByteBuffer.allocate((to - from) * VECTOR_BYTES).order(ByteOrder.nativeOrder());
    for (int i = from; i < to; i++) {
      vectors.putLong(data.firstPage(i) * PageRun.PAGE_BYTES).putLong(bytes(i));
    }
    long offset = data.segmentPage(from) * PageRun.PAGE_BYTES;
    long address = calls.data(vectors.array());
    calls.addExpecting("read pages", bytes, SyscallNumbers.PREADV, file, address, to - from, offset, 0);
  }

  private long bytes(int index) {
    return data.pageCount(index) * (long) PageRun.PAGE_BYTES;
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
