package io.pagelift.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The bytes of a round's manifest. Runs stand before the header because they are written as they arrive, however many there
 * are, while the header is known at the commit. All numbers are little-endian.
 *
 * <pre>
 * preamble  +0    8  magic "PLROUND1"
 *           +8    8  number of runs, n
 *           +16   4  CRC32C of the runs
 *           +20   4  bytes of the header, h
 *           +24   4  CRC32C of the header
 *           +28   4  CRC32C of bytes 0..27
 * run       +0    8  object id
 *  (n times)+8    8  first page
 *           +16   4  page count
 *           +20   4  segment; 0 = zero pages, 0xffffffff = dropped pages
 *           +24   8  index of the first page in the segment; 0 for zero and dropped pages
 * header    +0    h  protobuf pagelift.store.RoundHeader
 * </pre>
 *
 * The file ends there: any other length is damage.
 */
public final class ManifestFormat {
  /** Bytes before the first run. */
  public static final int PREAMBLE_BYTES = 32;

  /** Bytes of a run. */
  public static final int RUN_BYTES = 32;

  /** Bound of the header: some hundred thousand objects. */
  public static final int MAX_HEADER_BYTES = 16 << 20;

  /** Bound of page numbers (exclusive): 2^64 bytes of address space. */
  public static final long MAX_PAGE = 1L << 52;

  /** Bound of pages in a segment: 4 GiB. */
  public static final long MAX_SEGMENT_PAGES = 1L << 20;

  /** Bound of runs in one manifest: 8 GiB of runs. A manifest that claims more is damaged. */
  public static final long MAX_RUNS = 1L << 28;

  private static final long MAGIC = 0x3144_4e55_4f52_4c50L; // "PLROUND1"
  private static final int DROP_SEGMENT = -1;
  private static final int BUFFERED_RUNS = 2048;

  private ManifestFormat() {}

  /** What the preamble says. */
  record Preamble(long runCount, int runsCrc32c, int headerBytes, int headerCrc32c) {
    long headerOffset() {
      return PREAMBLE_BYTES + runCount * RUN_BYTES;
    }
  }

  /** A buffer that holds whole runs: 64 KiB. */
  public static ByteBuffer runBuffer() {
    return ByteBuffer.allocate(BUFFERED_RUNS * RUN_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The preamble, ready to be written at byte 0. */
  public static ByteBuffer preamble(long runCount, int runsCrc32c, int headerBytes, int headerCrc32c) {
    ByteBuffer bytes = ByteBuffer.allocate(PREAMBLE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(MAGIC).putLong(runCount).putInt(runsCrc32c).putInt(headerBytes).putInt(headerCrc32c);
    return bytes.putInt(crcOfPreamble(bytes)).flip();
  }

  static Preamble readPreamble(FileChannel channel, Path file) throws IOException {
    long length = channel.size();
    if (length < PREAMBLE_BYTES) {
      throw StoreErrors.corrupt(file, "it has only " + length + " bytes");
    }
    ByteBuffer bytes = ByteBuffer.allocate(PREAMBLE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(channel, bytes, 0);
    if (bytes.getLong(0) != MAGIC) {
      throw StoreErrors.corrupt(file, "it does not begin as a manifest does");
    }
    if (bytes.getInt(28) != crcOfPreamble(bytes)) {
      throw StoreErrors.corrupt(file, "the checksum of its preamble is wrong");
    }
    Preamble preamble = new Preamble(bytes.getLong(8), bytes.getInt(16), bytes.getInt(20), bytes.getInt(24));
    if (preamble.runCount < 0 || preamble.runCount > MAX_RUNS) {
      throw StoreErrors.corrupt(file, "it claims " + preamble.runCount + " runs");
    }
    if (preamble.headerBytes < 0 || preamble.headerBytes > MAX_HEADER_BYTES) {
      throw StoreErrors.corrupt(file, "it claims a header of " + preamble.headerBytes + " bytes");
    }
    long expected = preamble.headerOffset() + preamble.headerBytes;
    if (length != expected) {
      throw StoreErrors.corrupt(file, "it has " + length + " bytes instead of " + expected);
    }
    return preamble;
  }

  /** Appends a run to a buffer from {@link #runBuffer}. Values are those of {@link RunSink#run}. */
  public static void putRun(ByteBuffer runs, long objectId, long firstPage, int pageCount, long place) {
    runs.putLong(objectId).putLong(firstPage).putInt(pageCount);
    if (Place.isData(place)) {
      runs.putInt(Place.segment(place)).putLong(Place.segmentPage(place));
    } else {
      runs.putInt(place == Place.DROP ? DROP_SEGMENT : PlaceRuns.ZERO_SEGMENT).putLong(0);
    }
  }

  static void getRun(ByteBuffer runs, RunSink sink, Path file) {
    long objectId = runs.getLong();
    long firstPage = runs.getLong();
    int pageCount = runs.getInt();
    int segment = runs.getInt();
    long segmentPage = runs.getLong();
    if (pageCount < 1 || firstPage < 0 || firstPage > MAX_PAGE - pageCount) {
      throw StoreErrors.corrupt(file, "it holds a run of " + pageCount + " pages at page " + firstPage);
    }
    boolean stored = segment != DROP_SEGMENT && segment != PlaceRuns.ZERO_SEGMENT;
    if (stored && (segment < 0 || segmentPage < 0 || segmentPage > MAX_SEGMENT_PAGES - pageCount)) {
      throw StoreErrors.corrupt(file, "it refers to page " + segmentPage + " of segment " + segment);
    }
    long unstored = segment == DROP_SEGMENT ? Place.DROP : Place.ZERO;
    sink.run(objectId, firstPage, pageCount, stored ? Place.of(segment, segmentPage) : unstored);
  }

  /** Fills the buffer from a place in a file; an {@link EOFException} when the file is shorter. */
  static void readFully(FileChannel channel, ByteBuffer buffer, long offset) throws IOException {
    long at = offset;
    while (buffer.hasRemaining()) {
      int read = channel.read(buffer, at);
      if (read < 0) {
        throw new EOFException("end of file at byte " + at);
      }
      at += read;
    }
  }

  @SuppressWarnings("ByteBufferBackingArray") // both buffers come from ByteBuffer.allocate(int)
  private static int crcOfPreamble(ByteBuffer preamble) {
    CRC32C crc = new CRC32C();
    crc.update(preamble.array(), 0, PREAMBLE_BYTES - 4);
    return (int) crc.getValue();
  }
}
