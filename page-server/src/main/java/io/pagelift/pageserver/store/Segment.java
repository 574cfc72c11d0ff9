package io.pagelift.pageserver.store;

import io.pagelift.store.IndexFormat;
import io.pagelift.store.StoreLayout;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One segment: a file of pages and its index. Pages are appended by one thread at a time (the holder of {@link SegmentLog}'s
 * lock), read and forced by any.
 *
 * <p>After a failed force nobody knows what reached the disk, and a second force may succeed although the first one's data
 * is lost. So a failed segment is never written or forced again: what was forced before stays, the rest counts as not there.
 */
final class Segment implements AutoCloseable {
  /** Bytes that a page takes on disk, with its index entry. */
  static final int BYTES_PER_PAGE = StoreLayout.PAGE_BYTES + IndexFormat.ENTRY_BYTES;

  private final int number;
  private final StoreLayout layout;
  private final StableStorage storage;
  private final FileChannel pages;
  private final FileChannel index;
  private final ReentrantLock forceLock = new ReentrantLock();
  private volatile int writtenPages;
  private volatile int forcedPages;
  private volatile boolean failed;
  private volatile boolean retired;

  /** A segment over open files that hold {@code pageCount} forced pages; owns the files. */
  Segment(StoreLayout layout, StableStorage storage, int number, FileChannel pages, FileChannel index, int pageCount) {
    this.layout = layout;
    this.storage = storage;
    this.number = number;
    this.pages = pages;
    this.index = index;
    this.writtenPages = pageCount;
    this.forcedPages = pageCount;
  }

  /** Makes the files of a new segment. The directory is not forced yet. */
  static Segment create(StoreLayout layout, StableStorage storage, int number) throws IOException {
    FileChannel pages = PrivateFiles.create(layout.segmentFile(number));
    try {
      FileChannel index = PrivateFiles.create(layout.indexFile(number));
      PrivateFiles.writeFully(index, IndexFormat.head(number), 0);
      return new Segment(layout, storage, number, pages, index, 0);
    } catch (IOException e) {
      pages.close();
      throw e;
    }
  }

  /** Opens a segment that holds {@code pageCount} forced pages. */
  static Segment reopen(StoreLayout layout, StableStorage storage, int number, int pageCount) throws IOException {
    FileChannel pages = PrivateFiles.openForWriting(layout.segmentFile(number));
    try {
      return new Segment(layout, storage, number, pages, PrivateFiles.openForWriting(layout.indexFile(number)), pageCount);
    } catch (IOException e) {
      pages.close();
      throw e;
    }
  }

  int number() {
    return number;
  }

  int writtenPages() {
    return writtenPages;
  }

  int forcedPages() {
    return forcedPages;
  }

  /** Pages that may be referred to: all that were written, or only the forced ones after a failed force. */
  int usablePages() {
    return failed ? forcedPages : writtenPages;
  }

  /** Nothing new may refer to it, because it is about to be deleted. */
  void retired(boolean retires) {
    retired = retires;
  }

  boolean retired() {
    return retired;
  }

  boolean failed() {
    return failed;
  }

  /**
   * Appends pages with one gathering write, then their index entries. After an exception nothing counts as appended.
   *
   * @param windows the pages' bytes, in order; the first {@code windowCount} of the array
   * @param pageCount pages in all windows
   * @param entries one index entry per page
   */
  void append(ByteBuffer[] windows, int windowCount, int pageCount, ByteBuffer entries) throws IOException {
    int first = writtenPages;
    try {
      pages.position((long) first * StoreLayout.PAGE_BYTES);
      int done = 0;
      while (done < windowCount) {
        pages.write(windows, done, windowCount - done);
        while (done < windowCount && !windows[done].hasRemaining()) {
          done++;
        }
      }
      PrivateFiles.writeFully(index, entries, IndexFormat.offsetBytes(first));
    } catch (IOException e) {
      giveBack(first);
      throw e;
    }
    writtenPages = first + pageCount;
  }

  /** Frees the space of a half-written append: on a full disk it is needed. */
  private void giveBack(int pageCount) {
    try {
      pages.truncate((long) pageCount * StoreLayout.PAGE_BYTES);
      index.truncate(IndexFormat.offsetBytes(pageCount));
    } catch (IOException e) {
      // The tail is overwritten by the next append or dropped at the next start.
    }
  }

  /** Reads whole pages into the buffer's remaining space. */
  void read(int page, ByteBuffer destination) throws IOException {
    long at = (long) page * StoreLayout.PAGE_BYTES;
    while (destination.hasRemaining()) {
      int read = pages.read(destination, at);
      if (read < 0) {
        throw new EOFException("end of segment " + number + " at byte " + at);
      }
      at += read;
    }
  }

  /** Puts at least the first {@code pageCount} pages and their index entries on stable storage, in this order. */
  void force(int pageCount) throws IOException {
    forceLock.lock();
    try {
      if (forcedPages >= pageCount) {
        return;
      }
      if (failed) {
        throw new IOException("an earlier write to segment " + number + " was lost");
      }
      int written = writtenPages;
      try {
        storage.force(pages, layout.segmentFile(number), false);
        storage.reached(StoreStep.PAGES_FORCED);
        storage.force(index, layout.indexFile(number), false);
        storage.reached(StoreStep.INDEX_FORCED);
      } catch (IOException e) {
        failed = true;
        throw e;
      }
      forcedPages = written;
    } finally {
      forceLock.unlock();
    }
  }

  @Override
  public void close() throws IOException {
    try (pages; index) {
      // Closing is all.
    }
  }
}
