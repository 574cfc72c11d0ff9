package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.O_TMPFILE;

import io.pagelift.image.OpenFile;
import io.pagelift.image.RegularFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.Stat;
import io.pagelift.linux.SyscallNumbers;
import java.nio.file.Path;

/**
 * Regular files. A file with a name must be here under that name, with the size and the time of its last change that it had at
 * the source. One without a name is made anew, without a name too, from contents that travelled with the image.
 */
final class RegularFileRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "regular";
  }

  @Override
  public void check(OpenFile file) {
    RegularFile state = Reopen.state(file, RegularFile.parser());
    if (state.getUnlinked()) {
      checkDirectory(state);
    } else {
      FileChecks.same(state.getPath(), state.getSizeBytes(), state.getMtimeNanos());
    }
  }

  private static void checkDirectory(RegularFile state) {
    String directory = directoryOf(state.getPath());
    try {
      if (Stat.of(directory).isDirectory()) {
        return;
      }
    } catch (KernelException e) {
      // Told below: it makes no difference why it is not there.
    }
    throw Reopen.refused(
        "The directory " + directory + ", where the unlinked file " + state.getPath() + " lay, is missing here; make it.");
  }

  private static String directoryOf(String path) {
    Path parent = Path.of(path).getParent();
    return parent == null ? "/" : parent.toString();
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    RegularFile state = Reopen.state(file, RegularFile.parser());
    if (!state.getUnlinked()) {
      return Reopen.path(state.getPath(), file);
    }
    FileDescriptor contents =
        context.once(
            "regular " + state.getContentsObjectId(), FileDescriptor.class, () -> unlinked(state, context));
    return Reopen.again(contents, file);
  }

  private static FileDescriptor unlinked(RegularFile state, FileContext context) {
    // O_EXCL: nobody can give it a name.
    FileDescriptor made =
        FileDescriptor.open(directoryOf(state.getPath()), O_TMPFILE | O_RDWR | O_EXCL, state.getMode() & 07777);
    made.truncate(state.getSizeBytes());
    context.fill(state.getContentsObjectId(), made, state.getSizeBytes());
    long number = made.number();
    Kernel.check(Kernel.call(SyscallNumbers.FCHOWN, number, state.getUid(), state.getGid()), "fchown", state.getPath());
    made.chmod(state.getMode() & 07777);
    try (NativeBuffer times = NativeBuffer.allocate(32)) {
      times.bytes().putLong(0, state.getAtimeNanos() / 1_000_000_000L).putLong(8, state.getAtimeNanos() % 1_000_000_000L);
      times.bytes().putLong(16, state.getMtimeNanos() / 1_000_000_000L).putLong(24, state.getMtimeNanos() % 1_000_000_000L);
      Kernel.check(
          Kernel.call(SyscallNumbers.UTIMENSAT, number, 0, times.address(), 0), "utimensat", state.getPath());
    }
    return made;
  }
}
