package io.pagelift.dumper.process;

import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.SharedMemoryPaths;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.image.SystemV;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.Stat;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.SystemVSegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The System V shared memory of a tree.
 *
 * <p>A segment belongs to an IPC namespace and not to a process. Which ones a tree needs is told by its mappings; one that is
 * attached nowhere is taken to belong to the tree if one of its processes made it. Its contents are read by attaching it for a
 * moment, read-only, which changes the segment's time of last attachment and nothing else.
 */
final class SystemVSegments implements AutoCloseable {
  /** Start times are in ticks since boot, times of segments in seconds: they may be a second apart. */
  private static final long TOLERANCE_SECONDS = 2;

  private static final long TICKS_PER_SECOND = 100;

  private final Map<Integer, SystemVSegment> segments = new HashMap<>();
  private final Map<Integer, Integer> attachments = new HashMap<>();
  private final Map<Integer, Integer> attachers = new HashMap<>();
  private final List<FileDescriptor> opened = new ArrayList<>();
  private final List<Detached> detached = new ArrayList<>();

  /** A segment that is attached nowhere, and how to read it. */
  record Detached(SharedKey key, String link, String path) {}

  void read(RawReader reader, Collection<ProcessFacts> processes) {
    Map<Integer, Long> startSeconds = new HashMap<>();
    long bootSeconds = (reader.clockNanos(Constants.CLOCK_REALTIME) - reader.clockNanos(Constants.CLOCK_BOOTTIME)) / 1_000_000_000L;
    for (ProcessFacts process : processes) {
      startSeconds.put(process.pid(), bootSeconds + process.stat().startTimeTicks() / TICKS_PER_SECOND);
      for (MemoryMap map : process.maps()) {
        if (SharedMemoryPaths.systemV(map.path())) {
          attachments.merge((int) map.inode(), 1, Integer::sum);
          attachers.putIfAbsent((int) map.inode(), process.pid());
        }
      }
    }
    for (SystemVSegment segment : SystemVSegment.readAll()) {
      Long start = startSeconds.get(segment.creatorPid());
      boolean made = start != null && segment.changedSeconds() + TOLERANCE_SECONDS >= start;
      if (attachments.containsKey(segment.id())) {
        segments.put(segment.id(), segment);
      } else if (made && segment.attachments() == 0) {
        segments.put(segment.id(), segment);
        detached.add(open(segment));
      }
    }
  }

  private Detached open(SystemVSegment segment) {
    String link = String.format(Locale.ROOT, "/SYSV%08x (deleted)", segment.key());
    long address =
        Kernel.check(Kernel.call(SyscallNumbers.SHMAT, segment.id(), 0, Constants.SHM_RDONLY), "shmat", object(segment));
    try {
      // Up to the end of its mapping, which is the only one that begins there.
      String range = ownMapping(address).mapFileName();
      FileDescriptor file = FileDescriptor.open("/proc/self/map_files/" + range, Constants.O_RDONLY);
      opened.add(file);
      Stat stat = file.stat();
      SharedKey key = new SharedKey(FileStat.device(stat.devMajor(), stat.devMinor()), segment.id());
      return new Detached(SharedMemoryPaths.key(link, key), link, "/proc/self/fd/" + file.number());
    } finally {
      Kernel.call(SyscallNumbers.SHMDT, address);
    }
  }

  private static MemoryMap ownMapping(long address) {
    return ProcessMaps.read(Kernel.pid()).stream()
        .filter(map -> map.start() == address)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("an attachment of ours is not mapped"));
  }

  /** Segments that nobody has attached. */
  List<Detached> detached() {
    return detached;
  }

  void inspect(RefusalSink sink) {
    attachments.forEach(
        (id, count) -> {
          SystemVSegment segment = segments.get(id);
          int pid = attachers.getOrDefault(id, 0);
          if (segment == null) {
            sink.refuse(
                pid,
                "System V shared memory " + id,
                "it is of another IPC namespace than the dumper's",
                "run the dumper where the segment was made");
          } else if (segment.attachments() > count) {
            sink.refuse(
                pid,
                object(segment),
                (segment.attachments() - count) + " of its attachments are of processes outside of the tree",
                "dump the tree that has all of them, or end the others (ipcs -m, lsof)");
          }
        });
  }

  private static String object(SystemVSegment segment) {
    return "System V shared memory " + segment.id()
        + (segment.key() == 0 ? "" : String.format(Locale.ROOT, " (key 0x%08x)", segment.key()));
  }

  SystemV image(int id) {
    SystemVSegment segment = segments.get(id);
    if (segment == null) {
      throw new IllegalArgumentException("no System V segment " + id);
    }
    return SystemV.newBuilder()
        .setId(id)
        .setKey(segment.key())
        .setMode(segment.permissions())
        .setUid(segment.uid())
        .setGid(segment.gid())
        .setCreatorUid(segment.creatorUid())
        .setCreatorGid(segment.creatorGid())
        .setRemoved(segment.removed())
        .setLocked((segment.mode() & SystemVSegment.LOCKED) != 0)
        .setSizeBytes(segment.sizeBytes())
        .build();
  }

  @Override
  public void close() {
    opened.forEach(FileDescriptor::close);
    opened.clear();
  }
}
