package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.MREMAP_FIXED;
import static io.pagelift.linux.Constants.MREMAP_MAYMOVE;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.Vma;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.util.List;

/**
 * Moves the vdso and its data pages (vvar, vvar_vclock) to where the image has them.
 *
 * <p>The kernel maps them once per program start, at a random place, and only mremap(2) can move them. The new place may
 * overlap the old one, which mremap refuses, so they go to a parking place beside the stub first. The code finds its data
 * relative to itself: all parts must keep their distances.
 */
final class VdsoPlacement {
  /** Room for the parking place: all parts together are 8 pages on Linux 6.18. */
  static final long PARKING_BYTES = 1L << 20;

  private final List<MemoryMap> own;
  private final long parking;

  /**
   * The placement for copies of a seed.
   *
   * @param seedMaps the seed's mappings, which every copy has too
   * @param parking start of {@link #PARKING_BYTES} free bytes
   */
  VdsoPlacement(List<MemoryMap> seedMaps, long parking) {
    this.own = seedMaps.stream().filter(MemoryMap::kernelProvided).filter(map -> !map.path().equals("[vsyscall]")).toList();
    this.parking = parking;
    if (!own.isEmpty() && own.get(own.size() - 1).end() - own.get(0).start() > PARKING_BYTES) {
      throw new IllegalStateException("the vdso and its data are larger than the parking place");
    }
  }

  /** The image's mappings of this kind. */
  static List<Vma> wanted(List<Vma> vmas) {
    return vmas.stream()
        .filter(vma -> vma.getKind() == Vma.Kind.VDSO || vma.getKind() == Vma.Kind.VVAR)
        .toList();
  }

  /** Refuses an image whose vdso is laid out otherwise than this kernel's. */
  void check(int pid, List<Vma> vmas) {
    List<Vma> wanted = wanted(vmas);
    boolean same = wanted.isEmpty() || wanted.size() == own.size();
    for (int i = 0; same && i < wanted.size(); i++) {
      Vma vma = wanted.get(i);
      MemoryMap map = own.get(i);
      same =
          vma.getEnd() - vma.getStart() == map.lengthBytes()
              && vma.getStart() - wanted.get(0).getStart() == map.start() - own.get(0).start()
              && (vma.getKind() == Vma.Kind.VDSO) == map.path().equals("[vdso]");
    }
    if (!same) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The vdso of process " + pid + " is laid out otherwise than this kernel's; restore on a host with the source's kernel.");
    }
  }

  /** Queues the moves to the parking place. */
  void park(RemoteCalls calls) {
    for (MemoryMap map : own) {
      move(calls, map.start(), map.lengthBytes(), parking + map.start() - own.get(0).start());
    }
  }

  /** Queues the moves to their places, or the removal if the image has none. */
  void place(RemoteCalls calls, List<Vma> vmas) {
    List<Vma> wanted = wanted(vmas);
    if (wanted.isEmpty() && !own.isEmpty()) {
      calls.add("unmap the vdso", SyscallNumbers.MUNMAP, parking, PARKING_BYTES);
    }
    for (Vma vma : wanted) {
      long offset = vma.getStart() - wanted.get(0).getStart();
      move(calls, parking + offset, vma.getEnd() - vma.getStart(), vma.getStart());
    }
  }

  private static void move(RemoteCalls calls, long from, long length, long to) {
    calls.addExpecting(
        "move the vdso", to, SyscallNumbers.MREMAP, from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  }
}
