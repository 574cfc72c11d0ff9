package io.pagelift.dumper.round;

import io.pagelift.common.PageRuns;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.SharedMemoryPaths;
import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.dumper.memory.PageHashes;
import io.pagelift.dumper.memory.SharedObjectPass;
import io.pagelift.dumper.process.SharedMemories;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.dumper.tree.ObjectSource;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.wire.MigrationSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The memory that processes share, each object once: sent in the first live round, so that most of it is there early, and again
 * in the frozen pass, because no dirty bit covers every way to write to it. Within one invocation a hash tells what is the same.
 */
final class SharedObjects {
  /** Hashes of up to 4 GiB of shared pages, for each object. */
  private static final long HASH_LIMIT_BYTES = 16L << 20;

  private final ObjectRegistry registry;
  private final MigrationSession session;
  private final Map<Long, PageHashes> hashes = new HashMap<>();
  private final Set<Long> sentLive = new HashSet<>();

  SharedObjects(ObjectRegistry registry, MigrationSession session) {
    this.registry = registry;
    this.session = session;
  }

  /** Sends the shared memory behind these mappings, unless a round of this invocation did. */
  void sendLive(int pid, List<MemoryMap> mappings, PageChannel channel, RoundStats stats) {
    try (RawReader reader = new RawReader()) {
      for (MemoryMap mapping : mappings) {
        if (mapping.shared() && SharedMemoryPaths.sharedMemory(mapping.path())) {
          String path = "/proc/" + pid + "/map_files/" + mapping.mapFileName();
          FileStat stat = reader.stat(path);
          SharedKey key = SharedMemories.key(mapping);
          if (stat != null && sentLive.add(registry.sharedMemory(key))) {
            send(registry.sharedMemory(key), path, true, channel, stats);
          }
        }
      }
    }
  }

  /** Sends what the collector of the frozen tree found. */
  void sendFrozen(List<ObjectSource> sources, PageChannel channel, RoundStats stats) {
    List<Long> ids = new ArrayList<>();
    for (ObjectSource source : sources) {
      ids.add(source.objectId());
      send(source.objectId(), source.path(), false, channel, stats);
    }
    registry.retainShared(ids);
  }

  private void send(long objectId, String path, boolean live, PageChannel channel, RoundStats stats) {
    long start = System.nanoTime();
    PageRuns held = session.held(objectId);
    try (FileDescriptor file = FileDescriptor.open(path, Constants.O_RDONLY)) {
      PageHashes known = hashes.computeIfAbsent(objectId, id -> new PageHashes(HASH_LIMIT_BYTES));
      SharedObjectPass pass =
          new SharedObjectPass(
              channel,
              objectId,
              (page, address) -> {
                boolean changed = known.mustSend(page, address);
                return changed || !held.contains(page);
              });
      pass.run(file, held);
      stats.shared(pass.scannedPages(), pass.skippedPages(), pass.sentPages(), System.nanoTime() - start);
    } catch (KernelException failure) {
      // The mapping went while the process runs; the frozen pass looks again.
      if (!live || !(failure.processGone() || failure.object().equals(path))) {
        throw failure;
      }
    }
  }
}
