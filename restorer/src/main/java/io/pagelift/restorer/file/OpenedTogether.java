package io.pagelift.restorer.file;

import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import java.util.HashMap;
import java.util.Map;

/** Open files that could be made at one moment only: while a process was alive. Each is taken once. */
final class OpenedTogether implements AutoCloseable {
  private final Map<Integer, FileDescriptor> byId;

  OpenedTogether(Map<Integer, FileDescriptor> byId) {
    this.byId = new HashMap<>(byId);
  }

  /** The one for this open file; the caller closes it. */
  FileDescriptor take(OpenFile file) {
    FileDescriptor descriptor = byId.remove(file.getId());
    if (descriptor == null) {
      throw new IllegalStateException("open file " + file.getId() + " was taken already");
    }
    return descriptor;
  }

  @Override
  public void close() {
    byId.values().forEach(FileDescriptor::close);
  }
}
