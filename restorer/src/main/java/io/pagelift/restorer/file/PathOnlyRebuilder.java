package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_NOFOLLOW;
import static io.pagelift.linux.Constants.S_IFMT;

import io.pagelift.image.OpenFile;
import io.pagelift.image.PathOnly;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Stat;

/** O_PATH descriptors of symbolic links, sockets, FIFOs and devices: something of that kind must be here under that name. */
final class PathOnlyRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "path";
  }

  @Override
  public void check(OpenFile file) {
    PathOnly state = Reopen.state(file, PathOnly.parser());
    String path = PathText.of(state.getPath());
    if (state.getGhostId() == 0 && type(path) != (state.getMode() & S_IFMT)) {
      throw Reopen.refused(path + " is of another kind here than at the source, or missing; make it as it was there.");
    }
  }

  private static int type(String path) {
    try {
      return Stat.ofLink(path).type();
    } catch (KernelException e) {
      return 0;
    }
  }

  @Override
  public void announce(OpenFile file, GhostFiles ghosts) {
    PathOnly state = Reopen.state(file, PathOnly.parser());
    Reopen.announce(state.getGhostId(), PathText.of(state.getPath()), file, ghosts);
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    PathOnly state = Reopen.state(file, PathOnly.parser());
    String path = PathText.of(state.getPath());
    // O_NOFOLLOW also where it was not given: the path is the kernel's own, without links.
    int flags = state.getGhostId() == 0 ? file.getFlags() | O_NOFOLLOW : file.getFlags();
    return Reopen.file(state.getGhostId(), path, file.toBuilder().setFlags(flags).setPosition(0).build(), context);
  }
}
