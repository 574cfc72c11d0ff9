package io.pagelift.dumper.process;

import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.file.FileInspection;
import io.pagelift.dumper.file.Ghosts;
import io.pagelift.dumper.file.SharedMemoryPaths;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.image.Vma;
import io.pagelift.linux.Constants;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.MemoryMapDetail;
import java.util.Locale;

/** Which kind a mapping is, and what of it cannot be carried over. */
public final class MappingKinds {
  private static final String ZERO_DEVICE = "/dev/zero";

  private MappingKinds() {}

  /** The kind; KIND_UNSPECIFIED for what {@link #inspect} refuses. */
  static Vma.Kind of(MemoryMap map, SharedMemories shared, MappedFileStats stats) {
    if (map.path().equals("[vdso]")) {
      return Vma.Kind.VDSO;
    }
    if (map.path().startsWith("[vvar")) {
      return Vma.Kind.VVAR;
    }
    if (!map.shared() && SharedMemoryPaths.anonymousHuge(map.path())) {
      return Vma.Kind.ANONYMOUS;
    }
    if (map.privateAnonymous() || (!map.shared() && map.path().equals(ZERO_DEVICE))) {
      return Vma.Kind.ANONYMOUS;
    }
    if (map.hasFile() && shared.contains(SharedMemories.key(map))) {
      return map.shared() ? Vma.Kind.SHARED_MEMORY : Vma.Kind.SHARED_MEMORY_PRIVATE;
    }
    FileStat stat = stats.behind(map);
    if (map.hasFile() && stat != null && stat.regular() && map.path().startsWith("/")) {
      return map.shared() ? Vma.Kind.FILE_SHARED : Vma.Kind.FILE_PRIVATE;
    }
    return Vma.Kind.KIND_UNSPECIFIED;
  }

  /** Looks for mappings that cannot be carried over. */
  public static void inspect(
      ProcessFacts facts, SharedMemories shared, MappedFileStats stats, FileInspection inspection) {
    for (MemoryMap map : facts.maps()) {
      if (!map.path().equals("[vsyscall]")) {
        inspect(facts.pid(), map, of(map, shared, stats), stats, inspection);
      }
    }
  }

  private static void inspect(
      int pid, MemoryMap map, Vma.Kind kind, MappedFileStats stats, FileInspection inspection) {
    String object = object(map);
    RefusalSink sink = inspection.sink();
    if (map.path().startsWith("/[aio]")) {
      sink.refuse(pid, object, "asynchronous I/O contexts are not carried yet", "let the program run without io_setup");
    } else if (map.path().equals("[uprobes]")) {
      sink.refuse(pid, object, "probes are set in it", "remove the uprobes (perf probe, bpftrace) before the dump");
    } else if (kind == Vma.Kind.KIND_UNSPECIFIED) {
      sink.refuse(pid, object, "this kind of mapping is not carried yet", "unmap it before the dump");
    } else if (file(kind) && !stats.pathLeadsToIt(map)) {
      FileStat stat = stats.behind(map);
      if (stat != null) {
        Ghosts.inspect(inspection.reader(), inspection.options(), pid, object, map.path(), stat, sink);
      }
    }
  }

  private static boolean file(Vma.Kind kind) {
    return kind == Vma.Kind.FILE_PRIVATE || kind == Vma.Kind.FILE_SHARED;
  }

  /** Takes the mapped files of a process that no name leads to, in the freeze. */
  public static void addGhosts(ProcessFacts facts, SharedMemories shared, MappedFileStats stats, Ghosts ghosts) {
    for (MemoryMap map : facts.maps()) {
      FileStat stat = map.markedDeleted() && file(of(map, shared, stats)) ? stats.behind(map) : null;
      if (stat != null) {
        ghosts.add(facts.pid(), map.path(), stat, SharedMemories.mapFile(facts.pid(), map));
      }
    }
  }

  /** Looks for what only smaps tells. */
  public static void inspectDetail(int pid, MemoryMapDetail detail, RefusalSink sink) {
    String object = object(detail.map());
    if (detail.hugeTlb() && !SharedMemoryPaths.sharedMemory(detail.map().path())) {
      sink.refuse(pid, object, "files on hugetlbfs are not carried yet", "use a memfd (MFD_HUGETLB) or MAP_HUGETLB");
    }
    if (detail.userFaultMissing()) {
      sink.refuse(pid, object, "the program handles its page faults itself (userfaultfd)", "end that before the dump");
    }
    if (detail.protectionKey() != 0) {
      sink.refuse(pid, object, "memory protection keys are not carried yet", "let the program run without pkeys");
    }
    if (detail.has("ss")) {
      sink.refuse(pid, object, "shadow stacks are not carried yet", "start the program without them (GLIBC_TUNABLES)");
    }
    if (detail.deviceMemory() && !detail.map().kernelProvided()) {
      sink.refuse(pid, object, "it is memory of a device", "unmap it before the dump");
    }
  }

  /** How messages name a mapping. */
  private static String object(MemoryMap map) {
    return String.format(
        Locale.ROOT,
        "mapping %x-%x%s",
        map.start(),
        map.end(),
        map.path().isEmpty() ? "" : " (" + map.path() + ")");
  }

  /** Flags that a mapped file must be opened with: "mw" says that a shared mapping may become writable. */
  static int openFlags(MemoryMapDetail detail) {
    return detail.map().shared() && detail.has("mw") ? Constants.O_RDWR : Constants.O_RDONLY;
  }
}
