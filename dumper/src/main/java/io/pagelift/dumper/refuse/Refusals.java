package io.pagelift.dumper.refuse;

import io.pagelift.dumper.tree.CollectOptions;
import java.util.List;

/** Finds what cannot be carried over, by looking at the running tree: before anything of it is stopped. */
public final class Refusals {
  private Refusals() {}

  /** Everything in the tree of {@code rootPid} that a dump would refuse; empty when there is nothing. */
  public static List<Refusal> check(int rootPid, CollectOptions options) {
    return List.of();
  }
}
