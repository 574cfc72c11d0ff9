package io.pagelift.dumper.round;

import io.pagelift.dumper.freeze.FrozenTree;

/** What becomes of a frozen tree whose last round is committed. */
interface Ending {
  /** Called before the freeze, with the number that the last round will have. */
  default void prepare(int round) {}

  /** Whether the image may only be restored after a decision of the page-server. */
  default boolean handover() {
    return false;
  }

  /** Ends the tree or lets it go. What it throws reaches the user; the tree is let go then. */
  void end(FrozenTree tree, int round);
}
