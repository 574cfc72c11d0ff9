package io.pagelift.restorer.file;

import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import java.util.List;
import java.util.function.Supplier;

/** What rebuilders share during one restore. */
public interface FileContext {
  /** The shared memory object with this id, which the restorer holds open until the end. */
  FileDescriptor sharedMemory(int id);

  /** The files without a name. */
  GhostFiles ghosts();

  /**
   * Something that several open files have in common (both ends of a pipe, an unlinked file opened twice): made by the first
   * that asks, closed at the end of the restore.
   *
   * @param key names it among all kinds
   */
  <T extends AutoCloseable> T once(String key, Class<T> type, Supplier<T> maker);

  /** Processes that have ended; only for what is opened late. */
  EndedProcesses endedProcesses();

  /** All open files of the image. */
  List<OpenFile> openFiles();
}
