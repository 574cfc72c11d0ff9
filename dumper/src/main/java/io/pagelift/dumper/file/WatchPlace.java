package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.tree.SharedKey;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a watched file will be found at the destination.
 *
 * @param path without the mark of a lost name
 * @param key the file
 */
record WatchPlace(String path, SharedKey key) {
  /**
   * Finds the file of one line of fdinfo, or refuses it.
   *
   * @param known descriptors of the same file in the tree
   * @param ghosts takes it in the freeze; {@code null} at a running process
   */
  static @Nullable WatchPlace of(
      DescriptorFacts facts,
      Map<String, String> words,
      @Nullable DescriptorFacts known,
      @Nullable Ghosts ghosts,
      WatchedFiles watched,
      FileInspection inspection) {
    SharedKey key = WatchedFiles.key(words);
    if (known != null) {
      // As a descriptor it is inspected, and a ghost if need be, already.
      boolean here = PathPlace.of(inspection.reader(), known.link(), known.stat()) == PathPlace.HERE;
      return new WatchPlace(here ? known.link() : PathPlace.name(known.link()), key);
    }
    try (WatchedFiles.Found found = watched.find(words)) {
      if (found == null) {
        inspection.refuse(
            facts,
            "it watches inode " + key.inode() + ", which cannot be found (the file system has no handles)",
            "remove the watch before the dump");
        return null;
      }
      PathPlace place = PathPlace.of(inspection.reader(), found.link(), found.stat());
      if (place == PathPlace.HERE) {
        return new WatchPlace(found.link(), key);
      }
      if (place == PathPlace.GONE) {
        if (ghosts != null) {
          inspection.refuse(
              facts,
              "it watches " + found.link() + ", which only a process outside of the tree holds",
              "remove the watch before the dump");
        }
        return null;
      }
      Ghosts.inspect(
          inspection.reader(), inspection.options(), facts.pid(), facts.object() + " watching " + found.link(),
          found.link(), found.stat(), inspection.sink());
      if (ghosts != null) {
        ghosts.add(facts.pid(), found.link(), found.stat(), found.openPath());
      }
      return new WatchPlace(PathPlace.name(found.link()), key);
    }
  }
}
