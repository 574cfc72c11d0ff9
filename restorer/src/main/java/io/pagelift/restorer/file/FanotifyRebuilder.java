package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.AT_FDCWD;
import static io.pagelift.linux.Constants.O_NONBLOCK;

import io.pagelift.image.Fanotify;
import io.pagelift.image.FanotifyMark;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.charset.StandardCharsets;

/** fanotify(7). The marks come last, as inotify's watches do. */
final class FanotifyRebuilder implements FileRebuilder {
  // linux/fanotify.h
  private static final int FAN_CLOEXEC = 1;
  private static final int FAN_NONBLOCK = 2;
  private static final int FAN_REPORT_FIDS = 0xe00;
  private static final int FAN_MARK_ADD = 1;
  private static final int FAN_MARK_MOUNT = 0x10;
  private static final int FAN_MARK_IGNORED_MASK = 0x20;
  private static final int FAN_MARK_IGNORED_SURV_MODIFY = 0x40;
  private static final int FAN_MARK_FILESYSTEM = 0x100;
  private static final int FAN_MARK_EVICTABLE = 0x200;
  private static final int FAN_MARK_IGNORE = 0x400;

  @Override
  public String kind() {
    return "fanotify";
  }

  @Override
  public void check(OpenFile file) {
    for (FanotifyMark mark : Reopen.state(file, Fanotify.parser()).getMarksList()) {
      WatchPath.check(mark.getGhostId(), mark.getPath());
    }
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    Fanotify state = Reopen.state(file, Fanotify.parser());
    int nonBlocking = (file.getFlags() & O_NONBLOCK) != 0 ? FAN_NONBLOCK : 0;
    long flags = (state.getInitFlags() & ~FAN_NONBLOCK) | FAN_CLOEXEC | nonBlocking;
    long number =
        Kernel.check(Kernel.call(SyscallNumbers.FANOTIFY_INIT, flags, state.getEventFlags()), "fanotify_init", "");
    return FileDescriptor.own((int) number, "fanotify");
  }

  @Override
  public void arm(OpenFile file, FileDescriptor descriptor, FileContext context) {
    for (FanotifyMark mark : Reopen.state(file, Fanotify.parser()).getMarksList()) {
      int type =
          switch (mark.getKind()) {
            case MOUNT -> FAN_MARK_MOUNT;
            case FILE_SYSTEM -> FAN_MARK_FILESYSTEM;
            default -> 0;
          };
      int flags = FAN_MARK_ADD | type | (mark.getMarkFlags() & FAN_MARK_EVICTABLE);
      try (WatchPath path = WatchPath.open(mark.getGhostId(), mark.getPath(), context)) {
        if (mark.getMask() != 0) {
          add(descriptor, flags, mark.getMask(), path, mark);
        }
        if (mark.getIgnoredMask() != 0) {
          int surviving = mark.getMarkFlags() & FAN_MARK_IGNORED_SURV_MODIFY;
          int ignoring = (mark.getMarkFlags() & FAN_MARK_IGNORE) != 0 ? FAN_MARK_IGNORE : FAN_MARK_IGNORED_MASK;
          add(descriptor, flags | surviving | ignoring, mark.getIgnoredMask(), path, mark);
        }
      }
    }
  }

  private static void add(FileDescriptor descriptor, int flags, long mask, WatchPath path, FanotifyMark mark) {
    byte[] name = path.magicLink().getBytes(StandardCharsets.US_ASCII);
    try (NativeBuffer buffer = NativeBuffer.allocate(name.length + 1)) {
      buffer.bytes().put(0, name);
      Kernel.check(
          Kernel.call(SyscallNumbers.FANOTIFY_MARK, descriptor.number(), flags, mask, AT_FDCWD, buffer.address()),
          "fanotify_mark",
          PathText.of(mark.getPath()));
    }
  }

  @Override
  public void settle(OpenFile file, FileDescriptor descriptor) {
    boolean withDescriptors = (Reopen.state(file, Fanotify.parser()).getInitFlags() & FAN_REPORT_FIDS) == 0;
    WatchPath.drain(descriptor, withDescriptors);
  }
}
