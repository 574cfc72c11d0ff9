package io.pagelift.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The index file of a segment: a head, then one entry per page, in the order of the pages, so that entry i lies at byte
 * 16 * (i + 1). All numbers are little-endian.
 *
 * <pre>
 * head   +0         8  magic "PLINDEX1"
 *        +8         4  segment number
 *        +12        4  CRC32C of bytes 0..11
 * entry  +0         8  content hash: CRC32C of the page, then its CRC32
 *        +8         4  CRC32C of the page
 *        +12        2  flags: 1 = written
 *        +14        2  check: lower half of the CRC32C of bytes 0..13, xor upper half
 * </pre>
 *
 * The check tells a damaged entry from a damaged page, and a hole of zeros from an entry.
 */
public final class IndexFormat {
  /** Bytes of the head and of every entry. */
  public static final int ENTRY_BYTES = 16;

  /** Flag of an entry whose page was written. */
  public static final short WRITTEN = 1;

  private static final long MAGIC = 0x3158_4544_4e49_4c50L; // "PLINDEX1"
  private static final int CHECKED_BYTES = 14;

  private IndexFormat() {}

  /** A little-endian buffer for {@code entries} entries. */
  public static ByteBuffer allocate(int entries) {
    return ByteBuffer.allocate(entries * ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Byte offset of the entry of a page. */
  public static long offsetBytes(long segmentPage) {
    return (segmentPage + 1) * ENTRY_BYTES;
  }

  /** The head of a segment's index, ready to be written. */
  public static ByteBuffer head(int segment) {
    ByteBuffer head = allocate(1).putLong(MAGIC).putInt(segment);
    head.putInt(crc32c(head, 0, 12));
    return head.flip();
  }

  /** Throws a corrupt error when {@code head} (16 bytes) is not the head of this segment's index. */
  static void checkHead(ByteBuffer head, int segment, Path file) {
    if (head.getLong(0) != MAGIC || head.getInt(12) != crc32c(head, 0, 12)) {
      throw StoreErrors.corrupt(file, "it does not begin as an index of pages does");
    }
    if (head.getInt(8) != segment) {
      throw StoreErrors.corrupt(file, "it is the index of segment " + head.getInt(8) + ", not of " + segment);
    }
  }

  /** Appends an entry to a heap buffer from {@link #allocate}. */
  public static void put(ByteBuffer entries, long hash, int pageCrc32c) {
    int at = entries.position();
    entries.putLong(hash).putInt(pageCrc32c).putShort(WRITTEN);
    entries.putShort(check(entries, at));
  }

  /** Whether the entry at byte {@code at} was written and is whole. */
  public static boolean isWhole(ByteBuffer entries, int at) {
    return (entries.getShort(at + 12) & WRITTEN) != 0 && entries.getShort(at + CHECKED_BYTES) == check(entries, at);
  }

  /** The content hash of the entry at byte {@code at}. */
  public static long hash(ByteBuffer entries, int at) {
    return entries.getLong(at);
  }

  /** The page checksum of the entry at byte {@code at}. */
  public static int pageCrc32c(ByteBuffer entries, int at) {
    return entries.getInt(at + 8);
  }

  private static short check(ByteBuffer entries, int at) {
    int crc = crc32c(entries, at, CHECKED_BYTES);
    return (short) (crc ^ crc >>> 16);
  }

  @SuppressWarnings("ByteBufferBackingArray") // every buffer here comes from allocate(int)
  private static int crc32c(ByteBuffer heap, int at, int length) {
    CRC32C crc = new CRC32C();
    crc.update(heap.array(), heap.arrayOffset() + at, length);
    return (int) crc.getValue();
  }
}
