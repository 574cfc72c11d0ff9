package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.TreeImage;
import io.pagelift.image.Vma;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses where the stub and its work area lie while a tree is rebuilt: a range that no process of the tree uses, because all
 * of them are copies of one seed and keep it until the last moment.
 */
public final class StubAddress {
  /** Below this the kernel may refuse mappings ({@code vm.mmap_min_addr}); programs without PIE start at 4 MiB. */
  private static final long LOWEST = 0x1000_0000L;

  /** The end of user space with four-level page tables, less the guard page. */
  private static final long END_OF_USER_SPACE = 0x7fff_ffff_f000L;

  /** Distance to any mapping of the image: twice the kernel's stack guard gap, which mmap keeps free below a stack. */
  private static final long MARGIN = 2L << 20;

  private StubAddress() {}

  /**
   * The lowest suitable address.
   *
   * @param lengthBytes of the range, whole pages
   * @throws PageliftException REFUSED if the processes together leave no such gap
   */
  public static long choose(TreeImage image, long lengthBytes) {
    List<Vma> mappings = new ArrayList<>();
    for (ProcessImage process : image.getProcessesList()) {
      mappings.addAll(process.getAddressSpace().getVmasList());
    }
    mappings.sort(Comparator.comparingLong(Vma::getStart));
    long free = LOWEST;
    for (Vma mapping : mappings) {
      if (mapping.getStart() - MARGIN >= free + lengthBytes) {
        return free;
      }
      free = Math.max(free, mapping.getEnd() + MARGIN);
    }
    if (free + lengthBytes > END_OF_USER_SPACE) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The processes of the image together leave no gap of "
              + lengthBytes
              + " bytes in their address spaces, which rebuilding needs; restore fewer processes at once.");
    }
    return free;
  }
}
