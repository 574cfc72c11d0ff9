package io.pagelift.dumper.process;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.SharedMemoryPaths;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.tree.ObjectIds;
import io.pagelift.dumper.tree.ObjectSource;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.image.SharedMemory;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.SyscallNumbers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shared memory objects of a tree, each once, however many mappings and descriptors refer to it.
 *
 * <p>An object is memory without a disk behind it that is mapped shared (whatever made it), and every memfd and file of {@code
 * /dev/shm} that is open or mapped. What tells two apart is device and inode.
 */
public final class SharedMemories implements AutoCloseable {
  /** TMPFS_MAGIC, linux/magic.h. */
  private static final long TMPFS_MAGIC = 0x01021994L;

  private final Map<SharedKey, Entry> entries = new LinkedHashMap<>();
  private final SystemVSegments segments = new SystemVSegments();

  private record Entry(
      int id, SharedKey key, String link, String path, FileStat stat, int seals, long hugePageBytes) {}

  /** The object behind a mapping. */
  public static SharedKey key(MemoryMap map) {
    SharedKey plain = new SharedKey(FileStat.device(map.devMajor(), map.devMinor()), map.inode());
    return SharedMemoryPaths.key(map.path(), plain);
  }

  /** A path that opens the file behind a mapping from outside. */
  static String mapFile(int pid, MemoryMap map) {
    return "/proc/" + pid + "/map_files/" + map.mapFileName();
  }

  /** Finds the objects that a process has mapped or open. */
  public void read(RawReader reader, ProcessFacts facts) {
    for (MemoryMap map : facts.maps()) {
      if (map.hasFile() && !entries.containsKey(key(map))) {
        String path = mapFile(facts.pid(), map);
        boolean object =
            sharedMemory(map) || (map.shared() && reader.fileSystemType(path) == TMPFS_MAGIC);
        FileStat stat = object ? reader.stat(path) : null;
        if (stat != null && stat.regular()) {
          add(reader, key(map), map.path(), path, stat);
        }
      }
    }
    for (DescriptorFacts file : facts.descriptors()) {
      SharedKey key = SharedMemoryPaths.key(file.link(), file.stat().key());
      if (file.stat().regular() && SharedMemoryPaths.sharedMemory(file.link()) && !entries.containsKey(key)) {
        add(reader, key, file.link(), "/proc/" + file.pid() + "/fd/" + file.fd(), file.stat());
      }
    }
  }

  private static boolean sharedMemory(MemoryMap map) {
    return SharedMemoryPaths.sharedMemory(map.path()) && (map.shared() || !SharedMemoryPaths.anonymousHuge(map.path()));
  }

  private void add(RawReader reader, SharedKey key, String link, String path, FileStat stat) {
    int seals = SharedMemoryPaths.memfd(link) ? seals(reader, path) : 0;
    long hugePageBytes = SharedMemoryPaths.hugePageBytes(reader, path);
    entries.put(key, new Entry(entries.size() + 1, key, link, path, stat, seals, hugePageBytes));
  }

  private static int seals(RawReader reader, String path) {
    long fd = Kernel.check(reader.open(path, Constants.O_RDONLY | Constants.O_CLOEXEC), "open", path);
    try {
      return (int) Kernel.check(Kernel.call(SyscallNumbers.FCNTL, fd, Constants.F_GET_SEALS, 0), "fcntl", path);
    } finally {
      Kernel.call(SyscallNumbers.CLOSE, fd);
    }
  }

  /**
   * Finds the System V segments: what the kernel says of those that are attached, and those that a process of the tree made and
   * that nobody has attached now.
   *
   * @param processes of the tree
   */
  public void readSegments(RawReader reader, Collection<ProcessFacts> processes) {
    segments.read(reader, processes);
    for (SystemVSegments.Detached detached : segments.detached()) {
      FileStat stat = reader.stat(detached.path());
      if (stat != null) {
        add(reader, detached.key(), detached.link(), detached.path(), stat);
      }
    }
  }

  /** Looks for segments that are shared with somebody outside of the tree. */
  public void inspectSegments(RefusalSink sink) {
    segments.inspect(sink);
  }

  /** Lets go of what was opened to read contents. */
  @Override
  public void close() {
    segments.close();
  }

  /** Whether this object is carried as shared memory. */
  public boolean contains(SharedKey key) {
    return entries.containsKey(key);
  }

  /**
   * The object's id in the image.
   *
   * @throws IllegalArgumentException when there is no such object
   */
  public int id(SharedKey key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      throw new IllegalArgumentException("no shared memory object " + key);
    }
    return entry.id;
  }

  /** Where to read their contents. */
  public List<ObjectSource> sources(ObjectIds ids) {
    List<ObjectSource> sources = new ArrayList<>();
    for (Entry entry : entries.values()) {
      sources.add(
          new ObjectSource(
              ids.sharedMemory(entry.key),
              ObjectSource.Kind.SHARED_MEMORY,
              entry.key,
              entry.path,
              entry.stat.sizeBytes()));
    }
    return sources;
  }

  /** Their images. */
  public List<SharedMemory> images(ObjectIds ids) {
    return entries.values().stream().map(entry -> image(entry, ids, segments)).toList();
  }

  private static SharedMemory image(Entry entry, ObjectIds ids, SystemVSegments segments) {
    FileStat stat = entry.stat;
    SharedMemory.Builder image =
        SharedMemory.newBuilder()
            .setId(entry.id)
            .setObjectId(ids.sharedMemory(entry.key))
            .setSizeBytes(stat.sizeBytes())
            .setHugePageBytes(entry.hugePageBytes)
            .setMode(stat.mode())
            .setUid(stat.uid())
            .setGid(stat.gid());
    if (SharedMemoryPaths.memfd(entry.link)) {
      image
          .setKind(SharedMemory.Kind.MEMFD)
          .setName(SharedMemoryPaths.memfdName(entry.link))
          .setSeals(entry.seals)
          .setExecutable((stat.mode() & 0111) != 0);
    } else if (SharedMemoryPaths.anonymous(entry.link)) {
      image.setKind(SharedMemory.Kind.ANONYMOUS);
    } else if (SharedMemoryPaths.systemV(entry.link)) {
      image.setKind(SharedMemory.Kind.SYSTEM_V).setSystemV(segments.image((int) entry.key.inode()));
    } else {
      boolean unlinked = stat.linkCount() == 0;
      image.setKind(SharedMemory.Kind.TMPFS_FILE).setUnlinked(unlinked).setName(name(entry.link, unlinked));
    }
    return image.build();
  }

  private static String name(String link, boolean unlinked) {
    return unlinked && link.endsWith(DescriptorFacts.DELETED)
        ? link.substring(0, link.length() - DescriptorFacts.DELETED.length())
        : link;
  }
}
