package io.pagelift.pageserver.store;

import io.pagelift.store.StoreLayout;
import net.openhft.hashing.LongHashFunction;

/** The content hash of a page. Not trusted: it only proposes pages to compare with. */
@FunctionalInterface
interface PageHash {
  /** The hash of the 4096 bytes at an address of this process. */
  long hash(long address);

  /** XXH3, 64 bits, seed 0: what the index files hold. */
  static PageHash xxh3() {
    LongHashFunction xxh3 = LongHashFunction.xx3();
    return address -> xxh3.hashMemory(address, StoreLayout.PAGE_BYTES);
  }
}
