package io.pagelift.restorer.file;

import io.pagelift.image.OpenFile;
import io.pagelift.image.RegularFile;
import io.pagelift.linux.FileDescriptor;

/**
 * Regular files. A file with a name must be here under that name, with the size and the time of its last change that it had at
 * the source. One without a name is among the {@link GhostFiles}.
 */
final class RegularFileRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "regular";
  }

  @Override
  public void check(OpenFile file) {
    RegularFile state = Reopen.state(file, RegularFile.parser());
    if (state.getGhostId() == 0) {
      String path = PathText.of(state.getPath());
      if (state.getSynthetic()) {
        FileChecks.existing(path);
      } else {
        FileChecks.same(path, state.getSizeBytes(), state.getMtimeNanos());
      }
    }
  }

  @Override
  public void announce(OpenFile file, GhostFiles ghosts) {
    RegularFile state = Reopen.state(file, RegularFile.parser());
    Reopen.announce(state.getGhostId(), PathText.of(state.getPath()), file, ghosts);
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    RegularFile state = Reopen.state(file, RegularFile.parser());
    return Reopen.file(state.getGhostId(), PathText.of(state.getPath()), file, context);
  }
}
