package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.MADV_GUARD_INSTALL;
import static io.pagelift.linux.Constants.O_RDONLY;
import static io.pagelift.linux.Constants.PR_SET_MM;
import static io.pagelift.linux.Constants.PR_SET_MM_MAP;

import io.pagelift.image.AddressSpace;
import io.pagelift.image.GuardRegion;
import io.pagelift.image.MappedFile;
import io.pagelift.image.MmLayout;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.SharedMemory;
import io.pagelift.image.Vma;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.stub.StubRegion;
import io.pagelift.restorer.file.PathText;
import io.pagelift.restorer.remote.RemoteCalls;
import io.pagelift.restorer.source.ImageSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Builds the memory of a process inside a copy of the seed.
 *
 * <ol>
 *   <li>Everything but the stub's region is unmapped; vdso and vvar wait in a parking place beside the region.
 *   <li>All mappings are made, writable where pages will be put in, and advised.
 *   <li>The pages are put in: {@link PageFill}.
 *   <li>The mappings get their protection, locks and names, the kernel learns where code, data, heap, stack, arguments,
 *       environment and program are ({@code PR_SET_MM_MAP}).
 * </ol>
 *
 * <p>One instance serves all processes of a restore.
 */
public final class MemoryBuilder {
  /** Free bytes that are needed beside the stub's region. */
  public static final long SPARE_BYTES = VdsoPlacement.PARKING_BYTES + PageFillers.AREA_BYTES;

  private static final int PR_SET_VMA = 0x53564d41;
  private static final int MM_MAP_BYTES = 104;
  private static final int MLOCK_ONFAULT = 1;
  private static final String ANONYMOUS_NAME = "[anon:";
  private static final String SHARED_NAME = "[anon_shmem:";

  private final ImageSource source;
  private final StubRegion region;
  private final List<MemoryMap> seedMaps;
  private final VdsoPlacement vdso;
  private final SharedMemories shared;
  private final SegmentFiles segments;
  private final MappedFiles mappedFiles;
  private final PageCheck pageCheck;

  /**
   * A builder for copies of one seed.
   *
   * @param region the stub's region, followed by {@link #SPARE_BYTES} free bytes
   * @param seedMaps the seed's mappings
   */
  public MemoryBuilder(
      ImageSource source,
      StubRegion region,
      List<MemoryMap> seedMaps,
      SharedMemories shared,
      SegmentFiles segments,
      MappedFiles mappedFiles,
      PageCheck pageCheck) {
    this.source = source;
    this.region = region;
    this.seedMaps = List.copyOf(seedMaps);
    this.vdso = new VdsoPlacement(seedMaps, region.end());
    this.shared = shared;
    this.segments = segments;
    this.mappedFiles = mappedFiles;
    this.pageCheck = pageCheck;
  }

  /** Builds the memory of a process, in its first thread. The process has no descriptors before and after. */
  public void build(ProcessImage process, RemoteCalls calls) {
    AddressSpace space = process.getAddressSpace();
    vdso.check(process.getPid(), space.getVmasList());
    PageFill fill = new PageFill(process.getPid(), source, space);
    if (!fill.data().isEmpty() && segments.readable(fill.data().segment(0))) {
      // Beside the reading: the pages come from the page cache for one of both.
      pageCheck.begin(fill.data());
    }
    clear(calls);
    try (FetchedFiles files = new FetchedFiles(calls)) {
      SystemVAttachments attachments = new SystemVAttachments();
      List<MappingPlan> plans = new ArrayList<>();
      for (Vma vma : space.getVmasList()) {
        if (vma.getKind() != Vma.Kind.VDSO && vma.getKind() != Vma.Kind.VVAR) {
          MappingPlan plan = MappingPlan.of(vma, fill.touches(vma.getStart(), vma.getEnd()));
          plans.add(plan);
          if (systemV(vma)) {
            attachments.reserve(calls, vma);
          } else {
            map(calls, files, plan);
            advise(calls, plan);
          }
        }
      }
      vdso.place(calls, space.getVmasList());
      attachments.attach(calls, shared::image);
      plans.stream().filter(plan -> systemV(plan.vma())).forEach(plan -> advise(calls, plan));
      fill.fill(calls, files, segments, region.end() + VdsoPlacement.PARKING_BYTES);
      plans.forEach(plan -> finish(calls, plan));
      layOut(calls, files, space);
    }
  }

  private void clear(RemoteCalls calls) {
    vdso.park(calls);
    for (MemoryMap map : seedMaps) {
      boolean stub = map.start() < region.end() && map.end() > region.base();
      if (!stub && !map.kernelProvided()) {
        calls.add("unmap " + range(map.start(), map.end()), SyscallNumbers.MUNMAP, map.start(), map.lengthBytes());
      }
    }
  }

  private void map(RemoteCalls calls, FetchedFiles files, MappingPlan plan) {
    Vma vma = plan.vma();
    long length = vma.getEnd() - vma.getStart();
    int file = plan.anonymous() ? -1 : files.number(file(vma));
    calls.addExpecting(
        "map " + range(vma.getStart(), vma.getEnd()) + (vma.hasFile() ? " of " + PathText.of(vma.getFile().getPath()) : ""),
        vma.getStart(),
        SyscallNumbers.MMAP,
        vma.getStart(),
        length,
        plan.firstProtection(),
        plan.flags(),
        file,
        plan.anonymous() ? 0 : vma.getFileOffsetBytes());
  }

  private boolean systemV(Vma vma) {
    if (vma.getKind() != Vma.Kind.SHARED_MEMORY) {
      return false;
    }
    shared.object(vma.getSharedMemoryId());
    return shared.image(vma.getSharedMemoryId()).getKind() == SharedMemory.Kind.SYSTEM_V;
  }

  private static void advise(RemoteCalls calls, MappingPlan plan) {
    Vma vma = plan.vma();
    long length = vma.getEnd() - vma.getStart();
    for (int advice : plan.advices()) {
      calls.add(
          "advise " + range(vma.getStart(), vma.getEnd()), SyscallNumbers.MADVISE, vma.getStart(), length, advice);
    }
    if (vma.hasPolicy()) {
      MemoryPolicies.bind(calls, vma);
    }
  }

  private FileDescriptor file(Vma vma) {
    if (vma.hasFile()) {
      MappedFile file = vma.getFile();
      return mappedFiles.open(file.getGhostId(), PathText.of(file.getPath()), file.getOpenFlags());
    }
    boolean readOnly = vma.getKind() == Vma.Kind.SHARED_MEMORY && !MappingPlan.has(vma, "mw");
    return readOnly ? shared.readOnly(vma.getSharedMemoryId()) : shared.object(vma.getSharedMemoryId());
  }

  private static void finish(RemoteCalls calls, MappingPlan plan) {
    Vma vma = plan.vma();
    long length = vma.getEnd() - vma.getStart();
    String range = range(vma.getStart(), vma.getEnd());
    for (GuardRegion guard : vma.getGuardsList()) {
      calls.add(
          "guard " + range(guard.getStart(), guard.getEnd()),
          SyscallNumbers.MADVISE,
          guard.getStart(),
          guard.getEnd() - guard.getStart(),
          MADV_GUARD_INSTALL);
    }
    if (plan.protectLater()) {
      calls.add("protect " + range, SyscallNumbers.MPROTECT, vma.getStart(), length, vma.getProtection());
    }
    if (plan.locked()) {
      lock(calls, plan, range);
    }
    String name = vma.getName();
    for (String prefix : List.of(ANONYMOUS_NAME, SHARED_NAME)) {
      if (name.startsWith(prefix) && name.endsWith("]")) {
        byte[] inner = name.substring(prefix.length(), name.length() - 1).getBytes(StandardCharsets.UTF_8);
        // A kernel without CONFIG_ANON_VMA_NAME has no names to show: nothing else depends on them.
        long address = calls.string(inner);
        calls.addOptional(SyscallNumbers.PRCTL, PR_SET_VMA, 0, vma.getStart(), length, address);
      }
    }
    if (plan.sealed()) {
      calls.add("seal " + range, SyscallNumbers.MSEAL, vma.getStart(), length, 0);
    }
  }

  /** Pages that cannot be touched (PROT_NONE, guards, behind the end of the file) make mlock fail, but lock the mapping all the same. */
  private static void lock(RemoteCalls calls, MappingPlan plan, String range) {
    Vma vma = plan.vma();
    long length = vma.getEnd() - vma.getStart();
    long flags = plan.lockedOnFault() ? MLOCK_ONFAULT : 0;
    boolean touchable = vma.getGuardsCount() == 0 && vma.getProtection() != 0 && !vma.hasFile();
    if (touchable) {
      calls.add("lock " + range, SyscallNumbers.MLOCK2, vma.getStart(), length, flags);
    } else {
      calls.addOptional(SyscallNumbers.MLOCK2, vma.getStart(), length, flags);
    }
  }

  /** {@code struct prctl_mm_map} of linux/prctl.h: eleven addresses, the auxiliary vector's place and size, the program. */
  private void layOut(RemoteCalls calls, FetchedFiles files, AddressSpace space) {
    MmLayout layout = space.getLayout();
    int program =
        files.number(mappedFiles.open(space.getExeGhostId(), PathText.of(space.getExePath()), O_RDONLY));
    byte[] auxv = space.getAuxv().toByteArray();
    long address = calls.data(MM_MAP_BYTES + auxv.length, at -> mmMap(layout, auxv, program, at));
    calls.add("set the memory layout", SyscallNumbers.PRCTL, PR_SET_MM, PR_SET_MM_MAP, address, MM_MAP_BYTES, 0);
    if (space.getFutureLock() != 0) {
      // Nothing is mapped after this.
      calls.add("lock future mappings", SyscallNumbers.MLOCKALL, space.getFutureLock());
    }
  }

  private static byte[] mmMap(MmLayout layout, byte[] auxv, int program, long address) {
    ByteBuffer map = ByteBuffer.allocate(MM_MAP_BYTES + auxv.length).order(ByteOrder.nativeOrder());
    map.putLong(layout.getStartCode()).putLong(layout.getEndCode());
    map.putLong(layout.getStartData()).putLong(layout.getEndData());
    map.putLong(layout.getStartBrk()).putLong(layout.getBrk()).putLong(layout.getStartStack());
    map.putLong(layout.getArgStart()).putLong(layout.getArgEnd());
    map.putLong(layout.getEnvStart()).putLong(layout.getEnvEnd());
    map.putLong(auxv.length == 0 ? 0 : address + MM_MAP_BYTES).putInt(auxv.length).putInt(program).put(auxv);
    return map.array();
  }

  private static String range(long start, long end) {
    return "0x" + Long.toHexString(start) + "-0x" + Long.toHexString(end);
  }
}
