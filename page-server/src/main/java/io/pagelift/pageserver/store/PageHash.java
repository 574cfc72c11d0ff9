package io.pagelift.pageserver.store;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/** The content hash of a page. Not trusted: it only proposes pages to compare with. */
@FunctionalInterface
interface PageHash {
  /**
   * The hash of a page.
   *
   * @param page its 4096 bytes, from position to limit; the position may move
   * @param crc32c its checksum
   */
  long hash(ByteBuffer page, int crc32c);

  /**
   * Two checksums with different polynomials, CRC32 in the upper half and CRC32C in the lower: what the index files hold.
   *
   * <p>No cryptographic hash and none that pretends to be one would do better here, since bytes are compared before a page is used
   * again. These two the JVM has as machine code from the start: together 10 GB/s in the first second, where XXH3 in Java takes
   * several seconds to be compiled and then makes 2.
   */
  static PageHash crc() {
    return (page, crc32c) -> {
      CRC32 crc32 = new CRC32();
      crc32.update(page);
      return crc32.getValue() << 32 | (crc32c & 0xffff_ffffL);
    };
  }
}
