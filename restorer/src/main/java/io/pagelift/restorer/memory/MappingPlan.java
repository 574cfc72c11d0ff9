package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.MADV_DONTDUMP;
import static io.pagelift.linux.Constants.MADV_DONTFORK;
import static io.pagelift.linux.Constants.MADV_HUGEPAGE;
import static io.pagelift.linux.Constants.MADV_MERGEABLE;
import static io.pagelift.linux.Constants.MADV_NOHUGEPAGE;
import static io.pagelift.linux.Constants.MADV_RANDOM;
import static io.pagelift.linux.Constants.MADV_SEQUENTIAL;
import static io.pagelift.linux.Constants.MADV_WIPEONFORK;
import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_DROPPABLE;
import static io.pagelift.linux.Constants.MAP_FIXED_NOREPLACE;
import static io.pagelift.linux.Constants.MAP_GROWSDOWN;
import static io.pagelift.linux.Constants.MAP_HUGETLB;
import static io.pagelift.linux.Constants.MAP_HUGE_SHIFT;
import static io.pagelift.linux.Constants.MAP_NORESERVE;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.MAP_SHARED;
import static io.pagelift.linux.Constants.PROT_WRITE;

import io.pagelift.image.Vma;
import java.util.ArrayList;
import java.util.List;

/**
 * How one mapping of the image is made.
 *
 * @param vma the mapping
 * @param firstProtection what it is mapped with: what it ends with, plus write access while its pages are put in
 * @param flags of mmap(2)
 * @param advices of madvise(2), given before the pages are put in, because they decide how memory is given out
 */
record MappingPlan(Vma vma, int firstProtection, int flags, List<Integer> advices) {
  private static final String DROPPABLE = "dp";
  private static final String SEALED = "sl";

  /** The plan for a mapping; {@code holdsPages} if the store has pages to put into it. */
  static MappingPlan of(Vma vma, boolean holdsPages) {
    int flags = MAP_FIXED_NOREPLACE;
    switch (vma.getKind()) {
      case ANONYMOUS -> flags |= (has(vma, DROPPABLE) ? MAP_DROPPABLE : MAP_PRIVATE) | MAP_ANONYMOUS | huge(vma);
      case FILE_PRIVATE, SHARED_MEMORY_PRIVATE -> flags |= MAP_PRIVATE;
      case FILE_SHARED, SHARED_MEMORY -> flags |= MAP_SHARED;
      default -> throw new IllegalArgumentException("not a mapping that is made by mmap: " + vma.getKind());
    }
    if (has(vma, "gd")) {
      flags |= MAP_GROWSDOWN;
    }
    if (has(vma, "nr")) {
      flags |= MAP_NORESERVE;
    }
    int first = vma.getProtection();
    boolean isPrivate = (flags & MAP_PRIVATE) != 0;
    // "ac": the kernel accounts the mapping because it was writable once (RELRO, for example). It stays so after mprotect.
    if (isPrivate && (holdsPages || has(vma, "ac"))) {
      first |= PROT_WRITE;
    }
    return new MappingPlan(vma, first, flags, advices(vma));
  }

  /** Whether the kernel may drop its pages at any time (MAP_DROPPABLE): it comes back empty. */
  static boolean droppable(Vma vma) {
    return has(vma, DROPPABLE);
  }

  /** Whether nobody may change it any more: mseal(2). */
  boolean sealed() {
    return has(vma, SEALED);
  }

  private static int huge(Vma vma) {
    long bytes = vma.getHugePageBytes();
    return bytes == 0 ? 0 : MAP_HUGETLB | Long.numberOfTrailingZeros(bytes) << MAP_HUGE_SHIFT;
  }

  /** Whether the mapping needs an mprotect(2) after its pages are in. */
  boolean protectLater() {
    return firstProtection != vma.getProtection();
  }

  boolean anonymous() {
    return (flags & MAP_ANONYMOUS) != 0;
  }

  /** Whether its pages are locked in memory, and if so only those that are touched. */
  boolean locked() {
    return has(vma, "lo");
  }

  boolean lockedOnFault() {
    return has(vma, "lf");
  }

  private static List<Integer> advices(Vma vma) {
    List<Integer> advices = new ArrayList<>();
    if (droppable(vma)) {
      return advices; // Its flags come with it.
    }
    for (String flag : vma.getVmFlagsList()) {
      switch (flag) {
        case "dd" -> advices.add(MADV_DONTDUMP);
        case "dc" -> advices.add(MADV_DONTFORK);
        case "hg" -> advices.add(MADV_HUGEPAGE);
        case "nh" -> advices.add(MADV_NOHUGEPAGE);
        case "mg" -> advices.add(MADV_MERGEABLE);
        case "wf" -> advices.add(MADV_WIPEONFORK);
        case "sr" -> advices.add(MADV_SEQUENTIAL);
        case "rr" -> advices.add(MADV_RANDOM);
        default -> {
          // The others are set by the mapping itself, by its protection or by the kernel.
        }
      }
    }
    return advices;
  }

  static boolean has(Vma vma, String flag) {
    return vma.getVmFlagsList().contains(flag);
  }
}
