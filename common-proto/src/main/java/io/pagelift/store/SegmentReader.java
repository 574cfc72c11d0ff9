package io.pagelift.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** Reads pages of one segment and checks each against the index. Any thread may use it. */
final class SegmentReader implements AutoCloseable {
  /** Index entries that are read at one time. */
  private static final int ENTRIES_AT_ONCE = 256;

  private final int segment;
  private final Path pagesFile;
  private final Path indexFile;
  private final FileChannel pages;
  private final FileChannel index;

  private SegmentReader(int segment, Path pagesFile, Path indexFile, FileChannel pages, FileChannel index) {
    this.segment = segment;
    this.pagesFile = pagesFile;
    this.indexFile = indexFile;
    this.pages = pages;
    this.index = index;
  }

  static SegmentReader open(StoreLayout layout, int segment) {
    Path pagesFile = layout.segmentFile(segment);
    Path indexFile = layout.indexFile(segment);
    FileChannel pages = openForReading(pagesFile);
    try {
      FileChannel index = openForReading(indexFile);
      SegmentReader reader = new SegmentReader(segment, pagesFile, indexFile, pages, index);
      reader.checkHead();
      return reader;
    } catch (RuntimeException e) {
      closeQuietly(pages);
      throw e;
    }
  }

  private static FileChannel openForReading(Path file) {
    try {
      return FileChannel.open(file, StandardOpenOption.READ);
    } catch (java.nio.file.NoSuchFileException e) {
      throw StoreErrors.corrupt(file, "it is missing");
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
  }

  private void checkHead() {
    ByteBuffer head = IndexFormat.allocate(1);
    try {
      ManifestFormat.readFully(index, head, 0);
    } catch (EOFException e) {
      closeQuietly(index);
      throw StoreErrors.corrupt(indexFile, "it has no head");
    } catch (IOException e) {
      closeQuietly(index);
      throw StoreErrors.unreadable(indexFile, e);
    }
    IndexFormat.checkHead(head, segment, indexFile);
  }

  /** Reads {@code pageCount} pages into the buffer, which advances, and checks them. */
  void read(long segmentPage, int pageCount, ByteBuffer destination) {
    ByteBuffer window = destination.duplicate().limit(destination.position() + pageCount * StoreLayout.PAGE_BYTES);
    try {
      ManifestFormat.readFully(pages, window, segmentPage * StoreLayout.PAGE_BYTES);
    } catch (EOFException e) {
      throw StoreErrors.corrupt(pagesFile, "it ends before page " + (segmentPage + pageCount));
    } catch (IOException e) {
      throw StoreErrors.unreadable(pagesFile, e);
    }
    check(segmentPage, window.flip().position(destination.position()));
    destination.position(window.limit());
  }

  /** Checks the buffer's bytes, whole pages, against the index; the buffer does not move. */
  void check(long segmentPage, ByteBuffer bytes) {
    int count = bytes.remaining() / StoreLayout.PAGE_BYTES;
    ByteBuffer page = bytes.duplicate();
    CRC32C crc = new CRC32C();
    for (int done = 0; done < count; done += ENTRIES_AT_ONCE) {
      ByteBuffer entries = entries(segmentPage + done, Math.min(ENTRIES_AT_ONCE, count - done));
      for (int i = 0; i < entries.limit() / IndexFormat.ENTRY_BYTES; i++) {
        int at = bytes.position() + (done + i) * StoreLayout.PAGE_BYTES;
        crc.reset();
        crc.update(page.limit(at + StoreLayout.PAGE_BYTES).position(at));
        checkPage(entries, i, segmentPage + done + i, (int) crc.getValue());
      }
    }
  }

  private void checkPage(ByteBuffer entries, int entry, long segmentPage, int crc32c) {
    int at = entry * IndexFormat.ENTRY_BYTES;
    if (!IndexFormat.isWhole(entries, at)) {
      throw StoreErrors.corrupt(indexFile, "the entry of page " + segmentPage + " is not whole");
    }
    if (IndexFormat.pageCrc32c(entries, at) != crc32c) {
      throw StoreErrors.corrupt(
          pagesFile, "page " + segmentPage + " of segment " + segment + " does not have the checksum that it was stored with");
    }
  }

  /** Checks that pages are there and have whole entries. */
  void checkDescribed(long segmentPage, int pageCount) {
    try {
      if (pages.size() < (segmentPage + pageCount) * StoreLayout.PAGE_BYTES) {
        throw StoreErrors.corrupt(pagesFile, "it ends before page " + (segmentPage + pageCount));
      }
    } catch (IOException e) {
      throw StoreErrors.unreadable(pagesFile, e);
    }
    ByteBuffer entries = entries(segmentPage, pageCount);
    for (int i = 0; i < pageCount; i++) {
      if (!IndexFormat.isWhole(entries, i * IndexFormat.ENTRY_BYTES)) {
        throw StoreErrors.corrupt(indexFile, "the entry of page " + (segmentPage + i) + " is not whole");
      }
    }
  }

  /** The index entries of some pages. */
  ByteBuffer entries(long segmentPage, int pageCount) {
    ByteBuffer entries = IndexFormat.allocate(pageCount);
    try {
      ManifestFormat.readFully(index, entries, IndexFormat.offsetBytes(segmentPage));
    } catch (EOFException e) {
      throw StoreErrors.corrupt(indexFile, "it ends before the entry of page " + (segmentPage + pageCount - 1));
    } catch (IOException e) {
      throw StoreErrors.unreadable(indexFile, e);
    }
    return entries.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    closeQuietly(pages);
    closeQuietly(index);
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written through it: there is nothing to lose.
    }
  }
}
