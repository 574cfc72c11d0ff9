package io.pagelift.dumper.memory;

/** Decides, when the bytes of a page are there, whether they need to travel. */
@FunctionalInterface
public interface PageFilter {
  /** Lets every page through. */
  PageFilter SEND_ALL = (page, address) -> true;

  /** Whether to send page {@code page}, whose 4096 bytes lie at {@code address} of this process. */
  boolean mustSend(long page, long address);
}
