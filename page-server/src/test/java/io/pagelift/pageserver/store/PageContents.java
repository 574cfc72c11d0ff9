package io.pagelift.pageserver.store;

import io.pagelift.store.StoreLayout;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** Page contents by number: 0 is the zero page, any other number seeds its own random bytes. */
final class PageContents {
  private PageContents() {}

  /** Puts a page into the buffer, which advances. */
  static void put(ByteBuffer into, long content) {
    SplittableRandom random = new SplittableRandom(content);
    for (int i = 0; i < StoreLayout.PAGE_BYTES / Long.BYTES; i++) {
      into.putLong(content == 0 ? 0 : random.nextLong());
    }
  }

  /** A direct buffer with the pages of these contents. */
  static ByteBuffer payload(long... contents) {
    ByteBuffer pages = ByteBuffer.allocateDirect(contents.length * StoreLayout.PAGE_BYTES);
    for (long content : contents) {
      put(pages, content);
    }
    return pages.flip();
  }
}
