package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_FIXED_NOREPLACE;
import static io.pagelift.linux.Constants.MAP_NORESERVE;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.MREMAP_FIXED;
import static io.pagelift.linux.Constants.MREMAP_MAYMOVE;
import static io.pagelift.linux.Constants.PROT_NONE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;
import static io.pagelift.linux.Constants.SHM_RDONLY;

import io.pagelift.common.PageRun;
import io.pagelift.image.SharedMemory;
import io.pagelift.image.Vma;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Attaches System V shared memory in a process as it was, by shmat(2): only such a mapping counts as an attachment.
 *
 * <p>shmat maps a whole segment, but parts of the attachment may have been unmapped, protected otherwise or moved since, and other
 * mappings may lie in the gaps by now. So all of the address space is made first, with a reservation in place of every part. Then
 * each attachment is made wherever the kernel likes, which by then is out of everybody's way; its parts are moved into their
 * places, and what is left of it is unmapped. Parts that are equally far from the segment's beginning were one attachment.
 */
final class SystemVAttachments {
  private record Key(int sharedMemoryId, long base) {}

  private final Map<Key, List<Vma>> parts = new LinkedHashMap<>();

  /** Queues the reservation of a part. */
  void reserve(RemoteCalls calls, Vma vma) {
    long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    calls.addExpecting(
        "reserve room for shared memory at 0x" + Long.toHexString(vma.getStart()),
        vma.getStart(),
        SyscallNumbers.MMAP,
        vma.getStart(),
        vma.getEnd() - vma.getStart(),
        PROT_NONE,
        flags,
        -1,
        0);
    Key key = new Key(vma.getSharedMemoryId(), vma.getStart() - vma.getFileOffsetBytes());
    parts.computeIfAbsent(key, k -> new ArrayList<>()).add(vma);
  }

  /** Makes all attachments; everything else is mapped. */
  void attach(RemoteCalls calls, IntFunction<SharedMemory> images) {
    parts.forEach((key, vmas) -> attach(calls, images.apply(key.sharedMemoryId()), vmas));
  }

  private static void attach(RemoteCalls calls, SharedMemory memory, List<Vma> vmas) {
    boolean writable = vmas.stream().anyMatch(vma -> MappingPlan.has(vma, "mw"));
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    long flags = writable ? 0 : SHM_RDONLY;
    String name = SystemVSegments.name(memory.getSystemV());
    long at = calls.call("attach " + name, SyscallNumbers.SHMAT, memory.getSystemV().getId(), 0, flags);
    for (Vma vma : vmas) {
      long length = vma.getEnd() - vma.getStart();
      calls.addExpecting(
          "move a part of " + name,
          vma.getStart(),
          SyscallNumbers.MREMAP,
          at + vma.getFileOffsetBytes(),
          length,
          length,
          MREMAP_MAYMOVE | MREMAP_FIXED,
          vma.getStart());
      if (vma.getProtection() != protection) {
        calls.add("protect a part of " + name, SyscallNumbers.MPROTECT, vma.getStart(), length, vma.getProtection());
      }
    }
    long pageBytes = Math.max(PageRun.PAGE_BYTES, memory.getHugePageBytes());
    long whole = (memory.getSizeBytes() + pageBytes - 1) & -pageBytes;
    calls.add("unmap the rest of " + name, SyscallNumbers.MUNMAP, at, whole);
  }
}
