package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreErrors;
import io.pagelift.store.StoreLayout;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NotDirectoryException;

/** The sentences for a store that cannot be written. */
final class WriteErrors {
  private WriteErrors() {}

  /** A round could not be written or forced: the disk is full, over quota or failing. */
  static PageliftException roundLost(StoreLayout layout, IOException cause) {
    return new PageliftException(
        ErrorCategory.EXHAUSTED,
        "The round cannot be stored in " + layout.directory() + " (" + StoreErrors.reason(cause)
            + "); free space there or use another --store, then send the round again: the rounds committed before it are whole.",
        cause);
  }

  /** The decision of a handover could not be written or forced. */
  static PageliftException handoverLost(StoreLayout layout, IOException cause) {
    return new PageliftException(
        ErrorCategory.EXHAUSTED,
        "The state of a handover cannot be stored in " + layout.directory() + " (" + StoreErrors.reason(cause)
            + "); nothing is decided by it, free space there.",
        cause);
  }

  /** A round would make the store larger than it may be. */
  static PageliftException storeFull(StoreLayout layout, long maxBytes, long usedBytes) {
    return new PageliftException(
        ErrorCategory.EXHAUSTED,
        "The store " + layout.directory() + " may take " + maxBytes + " bytes (--max-store-bytes) and has " + usedBytes
            + "; remove migrations with 'page-server rm', give their space back with 'page-server gc', or allow more, then send the"
            + " round again: the rounds committed before it are whole.");
  }

  /** The store could not be opened for writing. */
  static PageliftException cannotOpen(StoreLayout layout, IOException cause) {
    return new PageliftException(
        category(cause),
        "The store directory " + layout.directory() + " cannot be used (" + StoreErrors.reason(cause)
            + "); give a directory that this user may write, with space left, by --store.",
        cause);
  }

  /** A path that is no directory was a mistake in the command; a full disk can be mended; the rest this user may not do here. */
  private static ErrorCategory category(IOException cause) {
    if (cause instanceof FileAlreadyExistsException || cause instanceof NotDirectoryException) {
      return ErrorCategory.USAGE;
    }
    String reason = StoreErrors.reason(cause);
    return reason.contains("No space left") || reason.contains("quota") ? ErrorCategory.EXHAUSTED : ErrorCategory.REFUSED;
  }
}
