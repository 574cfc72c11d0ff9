package io.pagelift.restorer.file;

import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.restorer.remote.RemoteCalls;
import java.util.List;

/**
 * Rebuilds open file descriptions of one kind: the room that has the same name as the dumper's collector and the message in the
 * image. A new kind is one more implementation and one line in {@link FileRebuilders}.
 *
 * <p>The steps come in this order for the whole tree; each is called once per open file.
 */
public interface FileRebuilder {
  /** The {@code kind} of {@link OpenFile} that this rebuilds. */
  String kind();

  /**
   * Refuses what can't be rebuilt here, before anything is created.
   *
   * @throws io.pagelift.common.PageliftException REFUSED with the file, what is wrong and the remedy; CORRUPT for a message
   *     that can't be read
   */
  void check(OpenFile file);

  /** Whether it can be opened only when all processes of the tree exist. */
  default boolean late() {
    return false;
  }

  /** The number of a process that has ended, which must be free here, because the file is about it; 0 for none. */
  default int endedPid(OpenFile file) {
    return 0;
  }

  /** Tells {@link GhostFiles#announce} what {@link #rebuild} will open of them. */
  default void announce(OpenFile file, GhostFiles ghosts) {}

  /** Opens or creates the description in the restorer, with its flags and its position. Processes fetch copies of it. */
  FileDescriptor rebuild(OpenFile file, FileContext context);

  /**
   * What only a process that has the file can do (epoll: adding targets by their numbers). Called in one process that has it,
   * when all descriptors of that process are in place.
   *
   * @param fd the file's number there
   * @param descriptors the process's descriptors
   */
  default void finishInside(OpenFile file, int fd, DescriptorTable descriptors, RemoteCalls calls) {}

  /** The descriptor numbers that {@link #finishInside} may use for a moment. */
  default List<Integer> borrowedNumbers(OpenFile file) {
    return List.of();
  }

  /** What should happen as late as possible (starting timers): just before the tree runs. */
  default void arm(OpenFile file, FileDescriptor descriptor, FileContext context) {}

  /** The very last, when the restorer does nothing with any file any more. */
  default void settle(OpenFile file, FileDescriptor descriptor) {}
}
