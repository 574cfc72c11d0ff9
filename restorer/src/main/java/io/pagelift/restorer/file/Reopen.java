package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_ASYNC;
import static io.pagelift.linux.Constants.O_CREAT;
import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_NOCTTY;
import static io.pagelift.linux.Constants.O_NOFOLLOW;
import static io.pagelift.linux.Constants.O_PATH;
import static io.pagelift.linux.Constants.O_TRUNC;
import static io.pagelift.linux.Constants.SEEK_SET;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;

/** Opening files again as they were open. */
final class Reopen {
  /** Flags that act only at the first opening, or that are given back later (O_ASYNC needs its owner first). */
  private static final int NOT_AGAIN = O_CREAT | O_EXCL | O_TRUNC | O_ASYNC;

  private Reopen() {}

  /** Opens a path with the access mode and status flags of the image and goes to the position. */
  static FileDescriptor path(String path, OpenFile file) {
    return placed(FileDescriptor.open(path, flags(file)), file);
  }

  /**
   * Opens a file that is found by its path or that is a ghost.
   *
   * @param ghostId 0 for a file with a name
   */
  static FileDescriptor file(int ghostId, String path, OpenFile file, FileContext context) {
    return ghostId == 0 ? path(path, file) : placed(context.ghosts().open(ghostId, path, flags(file)), file);
  }

  /** Announces what {@link #file} will open. */
  static void announce(int ghostId, String path, OpenFile file, GhostFiles ghosts) {
    if (ghostId != 0) {
      ghosts.announce(ghostId, path, flags(file));
    }
  }

  private static int flags(OpenFile file) {
    return (file.getFlags() & ~NOT_AGAIN) | O_NOCTTY;
  }

  private static FileDescriptor placed(FileDescriptor descriptor, OpenFile file) {
    if (file.getPosition() != 0 && (file.getFlags() & O_PATH) == 0) {
      descriptor.seek(file.getPosition(), SEEK_SET);
    }
    return descriptor;
  }

  /** A new description of what one of our own descriptors is open on. */
  static FileDescriptor again(FileDescriptor open, OpenFile file) {
    // O_NOFOLLOW is for the last name of a path, here a link that has to be followed.
    return path("/proc/self/fd/" + open.number(), file.toBuilder().setFlags(file.getFlags() & ~O_NOFOLLOW).build());
  }

  /** The state of an open file, or a corrupt error. */
  static <T extends Message> T state(OpenFile file, Parser<T> parser) {
    try {
      ByteString bytes = file.getState();
      return parser.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new PageliftException(
          ErrorCategory.CORRUPT,
          "The state of open file " + file.getId() + " of kind " + file.getKind() + " in the image can't be read.",
          e);
    }
  }

  /** A refusal. */
  static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
