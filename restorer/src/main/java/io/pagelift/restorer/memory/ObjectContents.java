package io.pagelift.restorer.memory;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.source.ImageSource;
import java.nio.ByteBuffer;

/** Puts the pages of an object of the store into a file: shared memory, unlinked files. */
public final class ObjectContents {
  private static final long COMPARE_BYTES = 1L << 20;

  private final ImageSource source;

  ObjectContents(ImageSource source) {
    this.source = source;
  }

  /** Writes the pages; what is not held and zero pages stay holes. A last page beyond the size is cut. */
  public void fill(long objectId, FileDescriptor file, long sizeBytes) {
    PageRuns.Builder data = new PageRuns.Builder();
    source.forEachPlace(
        objectId,
        place -> {
          if (!place.zero()) {
            data.add(place.firstPage(), place.endPage());
          }
        });
    PageRuns runs = data.build();
    if (!runs.isEmpty()) {
      source.read(objectId, runs, (firstPage, pageCount, bytes) -> write(file, firstPage, bytes, sizeBytes));
    }
  }

  /** The same, but zero pages that are held are written as well: at the source they were no holes. */
  public void fillExactly(long objectId, FileDescriptor file, long sizeBytes) {
    fill(objectId, file, sizeBytes);
    try (NativeBuffer zeros = NativeBuffer.allocate(COMPARE_BYTES)) {
      source.forEachPlace(
          objectId,
          place -> {
            long end = Math.min(place.endPage() * PageRun.PAGE_BYTES, sizeBytes);
            for (long at = place.firstPage() * PageRun.PAGE_BYTES; place.zero() && at < end; ) {
              at += file.pwrite(zeros.address(), (int) Math.min(COMPARE_BYTES, end - at), at);
            }
          });
    }
  }

  /** The same by way of a mapping of ours: files on hugetlbfs cannot be written with write(2). */
  void fillMapped(long objectId, FileDescriptor file, long sizeBytes) {
    PageRuns.Builder data = new PageRuns.Builder();
    source.forEachPlace(
        objectId,
        place -> {
          if (!place.zero()) {
            data.add(place.firstPage(), place.endPage());
          }
        });
    PageRuns runs = data.build();
    if (runs.isEmpty()) {
      return;
    }
    int protection = Constants.PROT_READ | Constants.PROT_WRITE;
    long start =
        Kernel.check(
            Kernel.call(SyscallNumbers.MMAP, 0, sizeBytes, protection, Constants.MAP_SHARED, file.number(), 0),
            "mmap",
            file.object());
    try {
      source.read(
          objectId,
          runs,
          (firstPage, pageCount, bytes) ->
              RemoteMemory.write(
                  Kernel.pid(),
                  start + firstPage * PageRun.PAGE_BYTES,
                  Kernel.address(bytes) + bytes.position(),
                  bytes.remaining()));
    } finally {
      Kernel.check(Kernel.call(SyscallNumbers.MUNMAP, start, sizeBytes), "munmap", file.object());
    }
  }

  private static void write(FileDescriptor file, long firstPage, ByteBuffer bytes, long sizeBytes) {
    long offset = firstPage * PageRun.PAGE_BYTES;
    long address = Kernel.address(bytes) + bytes.position();
    int length = (int) Math.min(bytes.remaining(), Math.max(0, sizeBytes - offset));
    int done = 0;
    while (done < length) {
      done += file.pwrite(address + done, length - done, offset + done);
    }
  }

  /**
   * Refuses a file that has other contents than the object.
   *
   * @param path for the message
   */
  void checkSame(long objectId, FileDescriptor file, long sizeBytes, String path) {
    boolean[] same = {file.stat().sizeBytes() == sizeBytes};
    PageRuns.Builder held = new PageRuns.Builder();
    source.forEachPlace(objectId, place -> held.add(place.firstPage(), place.endPage()));
    PageRuns runs = held.build();
    try (NativeBuffer buffer = NativeBuffer.allocate(COMPARE_BYTES)) {
      if (same[0] && !runs.isEmpty()) {
        source.read(
            objectId, runs, (firstPage, pageCount, bytes) -> same[0] &= equal(file, firstPage, bytes, sizeBytes, buffer));
      }
      same[0] = same[0] && zeroElsewhere(file, runs, buffer);
    }
    if (!same[0]) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          path + " is there already and its contents are not those of the image; remove it if nothing uses it.");
    }
  }

  /** What the image does not hold is a hole: zero. */
  private static boolean zeroElsewhere(FileDescriptor file, PageRuns held, NativeBuffer buffer) {
    long at = file.seekData(0);
    while (at >= 0) {
      long hole = file.seekHole(at);
      long end = hole < 0 ? file.stat().sizeBytes() : hole;
      for (long page = at / PageRun.PAGE_BYTES; page * PageRun.PAGE_BYTES < end; page++) {
        if (!held.contains(page) && !zero(file, page, buffer)) {
          return false;
        }
      }
      at = hole < 0 ? -1 : file.seekData(end);
    }
    return true;
  }

  private static boolean zero(FileDescriptor file, long page, NativeBuffer buffer) {
    int read = file.pread(buffer.address(), PageRun.PAGE_BYTES, page * PageRun.PAGE_BYTES);
    ByteBuffer bytes = buffer.bytes();
    for (int i = 0; i < read; i++) {
      if (bytes.get(i) != 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean equal(
      FileDescriptor file, long firstPage, ByteBuffer bytes, long sizeBytes, NativeBuffer buffer) {
    long offset = firstPage * PageRun.PAGE_BYTES;
    int length = (int) Math.min(bytes.remaining(), Math.max(0, sizeBytes - offset));
    int done = 0;
    while (done < length) {
      int wanted = (int) Math.min(COMPARE_BYTES, length - done);
      int read = file.pread(buffer.address(), wanted, offset + done);
      if (read <= 0) {
        return false;
      }
      ByteBuffer theirs = bytes.duplicate().position(bytes.position() + done).limit(bytes.position() + done + read);
      if (!theirs.equals(buffer.bytes().limit(read))) {
        return false;
      }
      done += read;
    }
    return true;
  }
}
