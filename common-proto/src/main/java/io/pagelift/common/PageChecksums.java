package io.pagelift.common;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C of pages, one by one, and of what consists of pages.
 *
 * <p>A frame has a checksum over everything, a store wants one for each page. The first follows from the second without reading
 * the bytes again: a checksum is a linear function, and appending 4096 bytes to what was checked before is a multiplication of its
 * checksum by x<sup>32768</sup> modulo the polynomial (the same for every page, so a table does it) and an xor.
 */
public final class PageChecksums {
  /** The checksum of a page that is all zero. Other pages have it too: compare before it is believed. */
  public static final int OF_ZERO_PAGE = 0x98f94189;

  /** The polynomial of CRC32C, bits in the order of the reflected algorithm. */
  private static final int POLYNOMIAL = 0x82F63B78;

  /** 4096 bytes are 2^15 bits. */
  private static final int SQUARINGS = 15;

  private static final int[][] BEHIND_A_PAGE = tables(zeroBits());

  private PageChecksums() {}

  /** The checksum of each page between position and limit of a buffer, which does not move. */
  public static int[] of(ByteBuffer pages) {
    int[] checksums = new int[pages.remaining() / PageRun.PAGE_BYTES];
    ByteBuffer page = pages.duplicate();
    CRC32C crc = new CRC32C();
    for (int i = 0, at = pages.position(); i < checksums.length; i++, at += PageRun.PAGE_BYTES) {
      crc.reset();
      crc.update(page.limit(at + PageRun.PAGE_BYTES).position(at));
      checksums[i] = (int) crc.getValue();
    }
    return checksums;
  }

  /** The checksum of some bytes followed by pages, from the checksum of the bytes and those of the pages. */
  public static int appended(int checksum, int[] pageChecksums) {
    int all = checksum;
    for (int page : pageChecksums) {
      all =
          page
              ^ BEHIND_A_PAGE[0][all & 0xff]
              ^ BEHIND_A_PAGE[1][all >>> 8 & 0xff]
              ^ BEHIND_A_PAGE[2][all >>> 16 & 0xff]
              ^ BEHIND_A_PAGE[3][all >>> 24];
    }
    return all;
  }

  /** What a page of zero bits does to a checksum: a matrix over GF(2), one column for each bit. */
  private static int[] zeroBits() {
    int[] matrix = new int[Integer.SIZE];
    matrix[0] = POLYNOMIAL;
    for (int bit = 1; bit < Integer.SIZE; bit++) {
      matrix[bit] = 1 << (bit - 1);
    }
    for (int i = 0; i < SQUARINGS; i++) {
      int[] square = new int[Integer.SIZE];
      for (int bit = 0; bit < Integer.SIZE; bit++) {
        square[bit] = times(matrix, matrix[bit]);
      }
      matrix = square;
    }
    return matrix;
  }

  private static int times(int[] matrix, int vector) {
    int product = 0;
    for (int bit = 0; bit < Integer.SIZE; bit++) {
      product ^= (vector >>> bit & 1) == 0 ? 0 : matrix[bit];
    }
    return product;
  }

  /** The matrix as four tables, one for each byte of the checksum. */
  private static int[][] tables(int[] matrix) {
    int[][] tables = new int[Integer.BYTES][256];
    for (int octet = 0; octet < Integer.BYTES; octet++) {
      for (int value = 0; value < 256; value++) {
        tables[octet][value] = times(matrix, value << (octet * 8));
      }
    }
    return tables;
  }
}
