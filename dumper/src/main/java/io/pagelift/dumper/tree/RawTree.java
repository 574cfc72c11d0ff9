package io.pagelift.dumper.tree;

import io.pagelift.dumper.file.FileReferences;
import io.pagelift.dumper.file.FrozenFiles;
import io.pagelift.dumper.file.Ghosts;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.process.ControlGroups;
import io.pagelift.dumper.process.MappedFileStats;
import io.pagelift.dumper.process.MappingDetails;
import io.pagelift.dumper.process.ProcessReading;
import io.pagelift.dumper.process.SharedMemories;
import java.util.List;
import java.util.Map;

/** Everything that was read in a freeze; {@link TreeCollector#build} makes the image of it. */
public final class RawTree implements AutoCloseable {
  private final FrozenTree tree;
  private final ObjectIds ids;
  private final Map<Integer, ProcessReading> readings;
  private final SharedMemories shared;
  private final MappedFileStats mappedFiles;
  private final MappingDetails details;
  private final ControlGroups controlGroups;
  private final FrozenFiles files;
  private final Ghosts ghosts;
  private final List<ObjectSource> sources;

  RawTree(
      FrozenTree tree,
      ObjectIds ids,
      Map<Integer, ProcessReading> readings,
      SharedMemories shared,
      MappedFileStats mappedFiles,
      MappingDetails details,
      ControlGroups controlGroups,
      FrozenFiles files,
      Ghosts ghosts,
      List<ObjectSource> sources) {
    this.tree = tree;
    this.ids = ids;
    this.readings = readings;
    this.shared = shared;
    this.mappedFiles = mappedFiles;
    this.details = details;
    this.controlGroups = controlGroups;
    this.files = files;
    this.ghosts = ghosts;
    this.sources = sources;
  }

  /** The shared objects whose contents the caller must send before it thaws the tree, each once. */
  public List<ObjectSource> sources() {
    return sources;
  }

  /** Lets go of what was opened to read contents. */
  @Override
  public void close() {
    shared.close();
  }

  FrozenTree tree() {
    return tree;
  }

  ObjectIds ids() {
    return ids;
  }

  /** By pid; zombies are not among them. */
  Map<Integer, ProcessReading> readings() {
    return readings;
  }

  SharedMemories shared() {
    return shared;
  }

  MappedFileStats mappedFiles() {
    return mappedFiles;
  }

  MappingDetails details() {
    return details;
  }

  ControlGroups controlGroups() {
    return controlGroups;
  }

  FrozenFiles files() {
    return files;
  }

  Ghosts ghosts() {
    return ghosts;
  }

  /** Takes back what was done to the file system for the image; for a dump that fails later. */
  public void abandon() {
    ghosts.removeLinks();
  }

  FileReferences references() {
    return new FileReferences() {
      @Override
      public int sharedMemoryId(SharedKey key) {
        return shared.id(key);
      }

      @Override
      public int ghostId(SharedKey key) {
        return ghosts.id(key);
      }
    };
  }
}
