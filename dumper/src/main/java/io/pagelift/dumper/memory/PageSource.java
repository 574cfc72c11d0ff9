package io.pagelift.dumper.memory;

/** Gets the contents of pages of one address space to the server, once. */
public interface PageSource extends AutoCloseable {
  /** Sends the pages of a set, ascending. The set must not change meanwhile. */
  void send(PageSet pages);

  /** Pages that could not be had. */
  PageSet unread();

  /** Whether the process exited before everything was had. */
  boolean processGone();

  /** Pages sent with their contents. */
  long dataPages();

  /** Pages sent as zero. */
  long zeroPages();

  /** Pages that the filter held back. */
  long filteredPages();

  @Override
  void close();
}
