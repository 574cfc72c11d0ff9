package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.FIONREAD;
import static io.pagelift.linux.Constants.O_NOFOLLOW;
import static io.pagelift.linux.Constants.O_PATH;

import com.google.protobuf.ByteString;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.Stat;
import io.pagelift.linux.SyscallNumbers;

/** A file that is to be watched: opened so that nobody notices, named by its magic link, which also leads to a symbolic link itself. */
final class WatchPath implements AutoCloseable {
  private static final int QUEUE_BYTES = 64 * 1024;
  /** struct fanotify_event_metadata of linux/fanotify.h: event_len 4, vers 1, reserved 1, metadata_len 2, mask 8, fd 4, pid 4. */
  private static final int FANOTIFY_FD_OFFSET = 16;

  private final FileDescriptor file;
  private final boolean owned;

  private WatchPath(FileDescriptor file, boolean owned) {
    this.file = file;
    this.owned = owned;
  }

  static void check(int ghostId, ByteString path) {
    if (ghostId == 0) {
      try {
        Stat.ofLink(PathText.of(path));
      } catch (KernelException e) {
        throw Reopen.refused(
            PathText.of(path) + ", which the tree watches, can't be found here (" + e.errnoName() + "); copy it from the source.");
      }
    }
  }

  static WatchPath open(int ghostId, ByteString path, FileContext context) {
    String name = PathText.of(path);
    return ghostId == 0
        ? new WatchPath(FileDescriptor.open(name, O_PATH | O_NOFOLLOW), true)
        : new WatchPath(context.ghosts().path(ghostId, name), false);
  }

  String magicLink() {
    return "/proc/self/fd/" + file.number();
  }

  /**
   * Empties the queue of an inotify or fanotify instance.
   *
   * @param withDescriptors every event comes with a descriptor, which is closed
   */
  static void drain(FileDescriptor queue, boolean withDescriptors) {
    try (NativeBuffer buffer = NativeBuffer.allocate(QUEUE_BYTES)) {
      while (waiting(queue, buffer)) {
        int length = queue.read(buffer.address(), QUEUE_BYTES);
        for (int at = 0; withDescriptors && at + FANOTIFY_FD_OFFSET + 8 <= length; at += Math.max(24, buffer.bytes().getInt(at))) {
          int number = buffer.bytes().getInt(at + FANOTIFY_FD_OFFSET);
          if (number >= 0) {
            Kernel.call(SyscallNumbers.CLOSE, number);
          }
        }
      }
    }
  }

  private static boolean waiting(FileDescriptor queue, NativeBuffer buffer) {
    return !Kernel.failed(queue.ioctl(FIONREAD, buffer.address())) && buffer.bytes().getInt(0) > 0;
  }

  @Override
  public void close() {
    if (owned) {
      file.close();
    }
  }
}
