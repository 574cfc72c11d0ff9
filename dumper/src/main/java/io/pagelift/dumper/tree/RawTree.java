package io.pagelift.dumper.tree;

import java.util.List;

/** Everything that was read in a freeze, not yet parsed; {@link TreeCollector#build} makes the image of it. */
public final class RawTree {
  private final List<ObjectSource> sources;

  RawTree(List<ObjectSource> sources) {
    this.sources = sources;
  }

  /** The shared objects whose contents the caller must send before it thaws the tree, each once. */
  public List<ObjectSource> sources() {
    return sources;
  }
}
