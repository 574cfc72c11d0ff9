package io.pagelift.restorer.process;

import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.restorer.file.EndedProcesses;
import io.pagelift.restorer.file.FileContext;
import io.pagelift.restorer.file.FileRebuilder;
import io.pagelift.restorer.file.FileRebuilders;
import io.pagelift.restorer.file.GhostFiles;
import io.pagelift.restorer.memory.SharedMemories;
import io.pagelift.restorer.remote.RebuildFailure;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The open files of the image, each made once by the restorer and held until all processes have their copies. */
final class OpenFiles implements FileContext, AutoCloseable {
  private final List<OpenFile> images;
  private final SharedMemories shared;
  private final GhostFiles ghosts;
  private final FileRebuilders rebuilders = new FileRebuilders();
  private final Map<Integer, FileDescriptor> descriptors = new LinkedHashMap<>();
  private final Map<String, AutoCloseable> common = new HashMap<>();
  private @Nullable EndedProcesses ended;

  OpenFiles(List<OpenFile> images, SharedMemories shared, GhostFiles ghosts) {
    this.images = List.copyOf(images);
    this.shared = shared;
    this.ghosts = ghosts;
  }

  /** Makes all but those that need processes. */
  void rebuild() {
    images.forEach(file -> rebuilders.of(file).announce(file, ghosts));
    rebuild(false);
  }

  /** Makes those that need processes, which are all there now. */
  void rebuildLate(EndedProcesses helpers) {
    ended = helpers;
    rebuild(true);
    ended = null;
  }

  private void rebuild(boolean late) {
    for (OpenFile file : images) {
      FileRebuilder rebuilder = rebuilders.of(file);
      if (rebuilder.late() == late) {
        try {
          descriptors.put(file.getId(), rebuilder.rebuild(file, this));
        } catch (KernelException e) {
          throw RebuildFailure.of(0, "open file " + file.getId() + " of kind " + file.getKind(), e);
        }
      }
    }
  }

  @Override
  public EndedProcesses endedProcesses() {
    return Objects.requireNonNull(ended, "only for files that are opened late");
  }

  FileRebuilder rebuilder(OpenFile file) {
    return rebuilders.of(file);
  }

  /** The restorer's descriptor numbers by open file id. */
  Map<Integer, Integer> numbers() {
    Map<Integer, Integer> numbers = new HashMap<>();
    descriptors.forEach((id, descriptor) -> numbers.put(id, descriptor.number()));
    return numbers;
  }

  /** Gives the files their owners (who gets SIGIO), now that those exist. */
  void setOwners() {
    for (OpenFile file : images) {
      FileDescriptor descriptor = descriptors.get(file.getId());
      if (file.hasOwner()) {
        FileOwners.set(descriptor, file.getOwner());
      }
    }
  }

  /** Starts what runs by itself: timers. */
  void arm() {
    images.forEach(file -> rebuilders.of(file).arm(file, descriptors.get(file.getId()), this));
  }

  /** Whether something watches what is done with files. */
  boolean watching() {
    return images.stream().anyMatch(file -> file.getKind().equals("inotify") || file.getKind().equals("fanotify"));
  }

  /** When all else is done with files. */
  void settle() {
    images.forEach(file -> rebuilders.of(file).settle(file, descriptors.get(file.getId())));
  }

  @Override
  public FileDescriptor sharedMemory(int id) {
    return shared.object(id);
  }

  @Override
  public GhostFiles ghosts() {
    return ghosts;
  }

  @Override
  public <T extends AutoCloseable> T once(String key, Class<T> type, Supplier<T> maker) {
    AutoCloseable known = common.get(key);
    if (known == null) {
      known = maker.get();
      common.put(key, known);
    }
    return type.cast(known);
  }

  @Override
  public List<OpenFile> openFiles() {
    return images;
  }

  @Override
  public void close() {
    List<AutoCloseable> all = new ArrayList<>(descriptors.values());
    all.addAll(common.values());
    for (AutoCloseable one : all) {
      try {
        one.close();
      } catch (Exception e) {
        throw new IllegalStateException("closing an open file of the image", e);
      }
    }
    descriptors.clear();
    common.clear();
  }
}
