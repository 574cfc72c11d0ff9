package io.pagelift.dumper.process;

import com.google.protobuf.ByteString;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.dumper.file.PathPlace;
import io.pagelift.image.AddressSpace;
import io.pagelift.image.MappedFile;
import io.pagelift.image.MemoryPolicy;
import io.pagelift.image.MmLayout;
import io.pagelift.image.Vma;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.MemoryMapDetail;
import io.pagelift.linux.ProcStat;
import java.util.List;

/** Makes the image of an address space, all but its pages. */
final class AddressSpaces {
  private AddressSpaces() {}

  static AddressSpace of(ProcessReading reading, long objectId, ProcessImages.TreeParts parts) {
    int exeGhost = parts.ghosts().idAt(reading.facts().place("exe"));
    AddressSpace.Builder space =
        AddressSpace.newBuilder()
            .setObjectId(objectId)
            .setLayout(layout(reading))
            .setAuxv(ByteString.copyFrom(reading.auxv()))
            .setExePath(path(reading.facts().exe(), exeGhost))
            .setExeGhostId(exeGhost);
    FileStat exe = reading.exe();
    if (exe != null) {
      space.setExeDevice(exe.device()).setExeInode(exe.inode()).setExeSize(exe.sizeBytes());
    }
    int pid = reading.process().pid();
    InjectedMemory memory = reading.injected().memory();
    GuardRegions guards = parts.details().guards(pid);
    for (MemoryMapDetail detail : parts.details().of(pid, reading.facts().maps())) {
      if (!detail.map().path().equals("[vsyscall]")) {
        MappingKinds.inspectDetail(pid, detail, parts.sink());
        Vma.Builder vma = vma(pid, detail, parts);
        guards.addTo(vma);
        MemoryPolicy policy = memory.policies().get(detail.map().start());
        if (policy != null) {
          vma.setPolicy(policy);
        }
        space.addVmas(vma);
      }
    }
    return space.setFutureLock(memory.futureLock()).build();
  }

  private static Vma.Builder vma(int pid, MemoryMapDetail detail, ProcessImages.TreeParts parts) {
    MemoryMap map = detail.map();
    SharedMemories shared = parts.shared();
    MappedFileStats stats = parts.stats();
    Vma.Kind kind = MappingKinds.of(map, shared, stats);
    List<String> flags = detail.vmFlags().stream().sorted().toList();
    Vma.Builder vma =
        Vma.newBuilder()
            .setStart(map.start())
            .setEnd(map.end())
            .setProtection(map.protection())
            .setKind(kind)
            .addAllVmFlags(flags);
    if (map.path().startsWith("[")) {
      vma.setName(map.path());
    }
    if (kind == Vma.Kind.SHARED_MEMORY || kind == Vma.Kind.SHARED_MEMORY_PRIVATE) {
      vma.setFileOffsetBytes(map.fileOffsetBytes()).setSharedMemoryId(shared.id(SharedMemories.key(map)));
    }
    if (kind == Vma.Kind.FILE_PRIVATE || kind == Vma.Kind.FILE_SHARED) {
      vma.setFileOffsetBytes(map.fileOffsetBytes()).setFile(file(pid, detail, parts));
    }
    if (detail.hugeTlb()) {
      vma.setHugePageBytes(detail.sizeBytes("KernelPageSize"));
    }
    return vma;
  }

  /** Of a file without a name, the one that it had. */
  private static ByteString path(String link, int ghostId) {
    return PathBytes.of(ghostId == 0 ? link : PathPlace.name(link));
  }

  private static MappedFile file(int pid, MemoryMapDetail detail, ProcessImages.TreeParts parts) {
    FileStat stat = parts.stats().behind(detail.map());
    int ghostId = parts.ghosts().idAt(SharedMemories.mapFile(pid, detail.map()));
    MappedFile.Builder file =
        MappedFile.newBuilder()
            .setPath(path(detail.map().path(), ghostId))
            .setGhostId(ghostId)
            .setOpenFlags(MappingKinds.openFlags(detail));
    if (stat != null) {
      file.setDevice(stat.device())
          .setInode(stat.inode())
          .setSizeBytes(stat.sizeBytes())
          .setMtimeNanos(stat.mtimeNanos());
    }
    return file.build();
  }

  private static MmLayout layout(ProcessReading reading) {
    ProcStat stat = reading.facts().stat();
    return MmLayout.newBuilder()
        .setStartCode(stat.startCode())
        .setEndCode(stat.endCode())
        .setStartData(stat.startData())
        .setEndData(stat.endData())
        .setStartBrk(stat.startBrk())
        .setBrk(reading.injected().brk())
        .setStartStack(stat.startStack())
        .setArgStart(stat.argStart())
        .setArgEnd(stat.argEnd())
        .setEnvStart(stat.envStart())
        .setEnvEnd(stat.envEnd())
        .build();
  }
}
