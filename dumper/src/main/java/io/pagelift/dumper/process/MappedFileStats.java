package io.pagelift.dumper.process;

import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.linux.MemoryMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The status of every mapped file, each read once for the tree: its size may change as soon as the tree runs on. */
public final class MappedFileStats {
  private final Map<SharedKey, FileStat> byKey = new HashMap<>();
  private final Map<String, FileStat> byPath = new HashMap<>();

  /** Reads the files that a process maps. */
  public void read(RawReader reader, ProcessFacts facts) {
    for (MemoryMap map : facts.maps()) {
      if (map.hasFile() && !byKey.containsKey(SharedMemories.key(map))) {
        FileStat behind = reader.stat(SharedMemories.mapFile(facts.pid(), map));
        FileStat named = map.path().startsWith("/") ? reader.stat(map.path()) : null;
        if (behind != null) {
          byKey.put(SharedMemories.key(map), behind);
        }
        if (named != null) {
          byPath.put(map.path(), named);
        }
      }
    }
  }

  /** The file behind a mapping. */
  @Nullable FileStat behind(MemoryMap map) {
    return byKey.get(SharedMemories.key(map));
  }

  /** Whether the path of the mapping leads to the file behind it. */
  boolean pathLeadsToIt(MemoryMap map) {
    FileStat behind = behind(map);
    FileStat named = byPath.get(map.path());
    return behind != null && named != null && behind.key().equals(named.key());
  }
}
