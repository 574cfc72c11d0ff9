package io.pagelift.restorer.file;

import io.pagelift.image.Directory;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;

/** Open directories: one of that name must be here. The position only means something to the same file system. */
final class DirectoryRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "directory";
  }

  @Override
  public void check(OpenFile file) {
    Directory state = Reopen.state(file, Directory.parser());
    String path = PathText.of(state.getPath());
    if (state.getGhostId() == 0 && !FileChecks.existing(path).isDirectory()) {
      throw Reopen.refused(path + " is not a directory here; make one.");
    }
  }

  @Override
  public void announce(OpenFile file, GhostFiles ghosts) {
    Directory state = Reopen.state(file, Directory.parser());
    Reopen.announce(state.getGhostId(), PathText.of(state.getPath()), file, ghosts);
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    Directory state = Reopen.state(file, Directory.parser());
    return Reopen.file(state.getGhostId(), PathText.of(state.getPath()), file, context);
  }
}
