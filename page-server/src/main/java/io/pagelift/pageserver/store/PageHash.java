package io.pagelift.pageserver.store;

import io.pagelift.store.StoreLayout;
import java.nio.ByteBuffer;
import net.openhft.hashing.LongHashFunction;

/** The content hash of a page. Not trusted: it only proposes pages to compare with. */
@FunctionalInterface
interface PageHash {
  /** The hash of the 4096 bytes of a direct buffer from an index on. */
  long hash(ByteBuffer pages, int offsetBytes);

  /** XXH3, 64 bits, seed 0: what the index files hold. */
  static PageHash xxh3() {
    LongHashFunction xxh3 = LongHashFunction.xx3();
    return (pages, offsetBytes) -> xxh3.hashBytes(pages, offsetBytes, StoreLayout.PAGE_BYTES);
  }
}
