package io.pagelift.restorer.file;

import io.pagelift.common.PageliftException;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Stat;

/** Whether what a path names here is what it named at the source. */
public final class FileChecks {
  private FileChecks() {}

  /**
   * Refuses a regular file that is missing here or is not the one of the image, by size and time of last change.
   *
   * @throws io.pagelift.common.PageliftException REFUSED
   */
  public static void same(String path, long sizeBytes, long mtimeNanos) {
    Stat stat = existing(path);
    if (!stat.isRegular()) {
      throw Reopen.refused(path + " is not a regular file here; put the file of the source in its place.");
    }
    if (stat.sizeBytes() != sizeBytes) {
      throw Reopen.refused(
          path
              + " is "
              + stat.sizeBytes()
              + " bytes long here, but was "
              + sizeBytes
              + " when the image was taken; copy the source's file (rsync --times).");
    }
    if (stat.modifyTime().toNanos() != mtimeNanos) {
      throw Reopen.refused(
          path + " was last changed at another time than the file at the source; copy the source's file (rsync --times).");
    }
  }

  /** A refusal. */
  public static PageliftException refused(String message) {
    return Reopen.refused(message);
  }

  /** What is there, or a refusal that names the path. */
  public static Stat existing(String path) {
    try {
      return Stat.of(path);
    } catch (KernelException e) {
      throw Reopen.refused(path + " can't be found here (" + e.errnoName() + "); copy it from the source.");
    }
  }
}
