package io.pagelift.restorer.memory;

import io.pagelift.image.MappedFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.restorer.file.FileChecks;
import io.pagelift.restorer.file.GhostFiles;
import io.pagelift.restorer.file.PathText;
import java.util.HashMap;
import java.util.Map;

/** The files that processes map, each opened once for all of them. */
public final class MappedFiles implements AutoCloseable {
  private record Key(int ghostId, String path, int flags) {}

  private final Map<Key, FileDescriptor> open = new HashMap<>();

  private final GhostFiles ghosts;

  /** None open yet. */
  public MappedFiles(GhostFiles ghosts) {
    this.ghosts = ghosts;
  }

  /** Refuses a file that is missing here or is not the source's. */
  public static void check(MappedFile file) {
    if (file.getGhostId() != 0) {
      return; // It is made here.
    }
    FileChecks.same(PathText.of(file.getPath()), file.getSizeBytes(), file.getMtimeNanos());
  }

  /** A file, opened with these flags. */
  FileDescriptor open(int ghostId, String path, int flags) {
    return open.computeIfAbsent(
        new Key(ghostId, path, flags),
        key -> key.ghostId() == 0 ? FileDescriptor.open(path, flags) : ghosts.open(ghostId, path, flags));
  }

  @Override
  public void close() {
    open.values().forEach(FileDescriptor::close);
  }
}
