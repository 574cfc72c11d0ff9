package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The sentences for what goes wrong with files of a store. */
public final class StoreErrors {
  private StoreErrors() {}

  /** Stored bytes are not what was written. */
  public static PageliftException corrupt(Path file, String what) {
    return new PageliftException(ErrorCategory.CORRUPT, "The store file " + file + " is damaged: " + what + ".");
  }

  /** A file could not be read for a reason that is not damage. */
  public static PageliftException unreadable(Path file, IOException cause) {
    return new PageliftException(
        ErrorCategory.EXHAUSTED,
        "Cannot read " + file + " (" + reason(cause) + "); check the disk and the permissions of the store directory.",
        cause);
  }

  /** The operating system's reason, in words. */
  public static String reason(IOException cause) {
    if (cause instanceof NoSuchFileException failure) {
      return "there is no " + failure.getFile();
    }
    if (cause instanceof FileAlreadyExistsException failure) {
      return failure.getFile() + " is not a directory";
    }
    if (cause instanceof AccessDeniedException failure) {
      return "no permission for " + failure.getFile();
    }
    @Nullable String reason = cause instanceof FileSystemException failure ? failure.getReason() : cause.getMessage();
    return reason != null ? reason : "input or output failed";
  }
}
