package io.pagelift.store;

/** Receives the runs of a manifest in the order in which they arrived; a later run replaces what it overlaps. */
@FunctionalInterface
public interface RunSink {
  /**
   * One run.
   *
   * @param objectId the object that the pages belong to
   * @param firstPage first page, 0 to 2^52 - 1
   * @param pageCount number of pages, at least 1
   * @param place place of the first page, see {@link Place}
   */
  void run(long objectId, long firstPage, int pageCount, long place);
}
