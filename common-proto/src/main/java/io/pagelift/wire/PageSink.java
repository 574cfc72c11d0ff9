package io.pagelift.wire;

import java.nio.ByteBuffer;

/** Receives pages that were read from a page-server. */
@FunctionalInterface
public interface PageSink {
  /**
   * Takes one run of pages.
   *
   * @param firstPage number of the first page
   * @param pageCount pages in the run
   * @param bytes their contents, {@code pageCount * 4096} bytes from position to limit, direct; valid only during the call.
   *     {@code null} never: zero pages come as bytes too
   */
  void pages(long firstPage, int pageCount, ByteBuffer bytes);
}
