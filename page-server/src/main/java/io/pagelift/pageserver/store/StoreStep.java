package io.pagelift.pageserver.store;

/** The moments at which a store may be cut off, in the order of a commit: tests kill the process at each of them. */
enum StoreStep {
  /** Pages of a batch are in a segment, not forced. */
  BATCH_APPENDED,
  /** The pages that a round refers to are forced. */
  PAGES_FORCED,
  /** Their index entries too. */
  INDEX_FORCED,
  /** The blobs are forced under their temporary names. */
  BLOBS_FORCED,
  /** The manifest is forced under its temporary name. */
  MANIFEST_FORCED,
  /** The blobs have their names, and the directory is forced. */
  BLOBS_NAMED,
  /** The manifest has its name, the directory is not forced. */
  MANIFEST_NAMED,
  /** The round is durable, the client does not know yet. */
  DIRECTORY_FORCED;

  /** Told at every step. */
  @FunctionalInterface
  interface Watch {
    /** Looks away. */
    Watch NONE = step -> {};

    /** The store has come this far. */
    void reached(StoreStep step);
  }
}
