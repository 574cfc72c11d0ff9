package io.pagelift.dumper.testing;

import io.pagelift.dumper.tree.ObjectIds;
import io.pagelift.dumper.tree.SharedKey;
import java.util.HashMap;
import java.util.Map;

/** Object ids as a round gives them out: counted up, the same for the same key. */
public final class CountingIds implements ObjectIds {
  private final Map<Object, Long> ids = new HashMap<>();

  @Override
  public long addressSpace(int pid) {
    return id(pid);
  }

  @Override
  public long sharedMemory(SharedKey key) {
    return id(key);
  }

  @Override
  public long fileContents(SharedKey key) {
    return id(key);
  }

  private long id(Object key) {
    return ids.computeIfAbsent(key, any -> (long) ids.size() + 1);
  }
}
