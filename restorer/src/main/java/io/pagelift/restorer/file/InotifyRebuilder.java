package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_CLOEXEC;
import static io.pagelift.linux.Constants.O_NONBLOCK;

import io.pagelift.image.Inotify;
import io.pagelift.image.InotifyWatch;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.charset.StandardCharsets;

/**
 * inotify(7). The watches come last, when the restorer does nothing with files any more; what it has done to them meanwhile is taken
 * out of the queue.
 */
final class InotifyRebuilder implements FileRebuilder {
  /** {@code _IOW('I', 0, __s32)} of linux/inotify.h, Linux 4.16: the number of the next watch. */
  private static final long INOTIFY_IOC_SETNEXTWD = 0x40044900L;

  @Override
  public String kind() {
    return "inotify";
  }

  @Override
  public void check(OpenFile file) {
    for (InotifyWatch watch : Reopen.state(file, Inotify.parser()).getWatchesList()) {
      WatchPath.check(watch.getGhostId(), watch.getPath());
    }
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    long flags = O_CLOEXEC | (file.getFlags() & O_NONBLOCK);
    long number = Kernel.check(Kernel.call(SyscallNumbers.INOTIFY_INIT1, flags), "inotify_init1", "");
    return FileDescriptor.own((int) number, "inotify");
  }

  @Override
  public void arm(OpenFile file, FileDescriptor descriptor, FileContext context) {
    for (InotifyWatch watch : Reopen.state(file, Inotify.parser()).getWatchesList()) {
      Kernel.check(descriptor.ioctl(INOTIFY_IOC_SETNEXTWD, watch.getWd()), "ioctl INOTIFY_IOC_SETNEXTWD", "inotify");
      try (WatchPath path = WatchPath.open(watch.getGhostId(), watch.getPath(), context)) {
        add(descriptor, watch, path);
      }
    }
  }

  private static void add(FileDescriptor descriptor, InotifyWatch watch, WatchPath path) {
    byte[] name = path.magicLink().getBytes(StandardCharsets.US_ASCII);
    try (NativeBuffer buffer = NativeBuffer.allocate(name.length + 1)) {
      buffer.bytes().put(0, name);
      long wd =
          Kernel.check(
              Kernel.call(
                  SyscallNumbers.INOTIFY_ADD_WATCH, descriptor.number(), buffer.address(), Integer.toUnsignedLong(watch.getMask())),
              "inotify_add_watch",
              PathText.of(watch.getPath()));
      if (wd != watch.getWd()) {
        throw Reopen.refused(
            "Two watches of one inotify instance lead to the same file here, " + PathText.of(watch.getPath())
                + ", which were different ones at the source; copy them as they were.");
      }
    }
  }

  @Override
  public void settle(OpenFile file, FileDescriptor descriptor) {
    WatchPath.drain(descriptor, false);
  }
}
