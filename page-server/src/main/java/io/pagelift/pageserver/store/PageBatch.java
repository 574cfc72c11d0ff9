package io.pagelift.pageserver.store;

import io.pagelift.common.PageChecksums;
import io.pagelift.store.Place;
import io.pagelift.store.StoreLayout;
import java.nio.ByteBuffer;

/**
 * The pages of one payload and what is known of each: zero or not, hash, checksum, and at last its place. One per round, used
 * again for every batch. The payload stays the caller's; it is not touched after {@link SegmentLog#store} has returned.
 */
final class PageBatch {
  /** Most pages of one batch: 1 MiB. */
  static final int MAX_PAGES = 256;

  private static final int PAGE_BYTES = StoreLayout.PAGE_BYTES;

  private final PageHash pageHash;
  private final ByteBuffer zeroPage = ByteBuffer.allocateDirect(PAGE_BYTES);
  private final long[] hashes = new long[MAX_PAGES];
  private final long[] places = new long[MAX_PAGES];
  private final boolean[] fresh = new boolean[MAX_PAGES];
  private int[] crcs = {};
  private ByteBuffer payload = ByteBuffer.allocate(0);
  private int pageCount;
  private int dataPages;

  PageBatch(PageHash pageHash) {
    this.pageHash = pageHash;
  }

  /**
   * Takes a direct buffer of whole pages and computes what needs no lock.
   *
   * @param pageChecksums CRC32C of each page
   */
  void load(ByteBuffer pages, int[] pageChecksums) {
    pageCount = 0;
    dataPages = 0;
    if (!pages.hasRemaining()) {
      return;
    }
    if (!pages.isDirect() || pages.remaining() % PAGE_BYTES != 0 || pages.remaining() > MAX_PAGES * PAGE_BYTES) {
      throw new IllegalArgumentException("not a direct buffer of at most 256 whole pages: " + pages);
    }
    payload = pages.slice();
    pageCount = payload.remaining() / PAGE_BYTES;
    crcs = pageChecksums;
    if (crcs.length != pageCount) {
      throw new IllegalArgumentException(crcs.length + " checksums of " + pageCount + " pages");
    }
    ByteBuffer view = payload.duplicate();
    for (int page = 0; page < pageCount; page++) {
      if (isZero(page)) {
        places[page] = Place.ZERO;
      } else {
        places[page] = Place.DROP; // not placed yet
        fresh[page] = false;
        hashes[page] = pageHash.hash(view.limit((page + 1) * PAGE_BYTES).position(page * PAGE_BYTES), crcs[page]);
        dataPages++;
      }
    }
  }

  int pageCount() {
    return pageCount;
  }

  /** Pages that are not all zero. */
  int dataPages() {
    return dataPages;
  }

  boolean zero(int page) {
    return places[page] == Place.ZERO;
  }

  long hash(int page) {
    return hashes[page];
  }

  int crc32c(int page) {
    return crcs[page];
  }

  long place(int page) {
    return places[page];
  }

  /** The page is there already. */
  void place(int page, long place) {
    places[page] = place;
  }

  /** The page is appended for the first time. */
  void placeNew(int page, long place) {
    places[page] = place;
    fresh[page] = true;
  }

  boolean isNew(int page) {
    return fresh[page];
  }

  /** A view of some neighbouring pages. */
  ByteBuffer window(int page, int count) {
    return payload.duplicate().limit((page + count) * PAGE_BYTES).position(page * PAGE_BYTES);
  }

  private boolean isZero(int page) {
    return crcs[page] == PageChecksums.OF_ZERO_PAGE && window(page, 1).mismatch(zeroPage) < 0;
  }
}
