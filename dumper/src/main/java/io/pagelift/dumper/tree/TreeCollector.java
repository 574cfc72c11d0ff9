package io.pagelift.dumper.tree;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.image.TreeImage;
import java.util.List;

/**
 * Reads the state of a frozen tree, all but the contents of its memory.
 *
 * <p>Freeze time is what the user waits for, so the work is in two parts: {@link #collectFrozen} reads raw bytes while the
 * tree is stopped, {@link #build} parses them, and may run after the thaw or while pages are read.
 */
public final class TreeCollector {
  private final CollectOptions options;

  /** A collector for one dump. */
  public TreeCollector(CollectOptions options) {
    this.options = options;
  }

  /**
   * Reads everything that must be read while the tree is stopped.
   *
   * @throws PageliftException REFUSED, naming the process and the object, for what cannot be rebuilt; the caller thaws
   */
  public RawTree collectFrozen(FrozenTree tree, ObjectIds ids) {
    if (ids.addressSpace(tree.root().pid()) >= 0) {
      throw new PageliftException(ErrorCategory.INTERNAL, "Collecting is not there yet: " + options);
    }
    return new RawTree(List.of());
  }

  /**
   * The image of what {@link #collectFrozen} read.
   *
   * @throws PageliftException REFUSED for what cannot be rebuilt and showed only now
   */
  public TreeImage build(RawTree raw) {
    if (raw.sources().isEmpty()) {
      throw new PageliftException(ErrorCategory.INTERNAL, "Collecting is not there yet.");
    }
    return TreeImage.getDefaultInstance();
  }
}
