package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.FaultPoint;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.guard.Guard;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HandoverState.Decision;
import java.time.Duration;

/**
 * The source's side of a handover, so that exactly one copy lives whatever fails.
 *
 * <p>The frozen tree is made to stay stopped even without its tracer, and a guard process, told of it before, answers for it from then on.
 * Only then the page-server hears ARMED. It decides; here the tree is killed after COMMITTED, let go after ABORTED, and stays stopped as
 * long as nobody knows.
 */
final class Handover implements Ending {
  private static final Duration GIVE_UP_BOUND = Duration.ofSeconds(10);

  private final HandoverSession session;
  private final Guard guard;
  private final Duration bound;
  private final Messages messages;

  /**
   * A handover.
   *
   * @param guard started and rehearsed
   * @param bound how long the destination may take before this side gives up
   */
  Handover(HandoverSession session, Guard guard, Duration bound, Messages messages) {
    this.session = session;
    this.guard = guard;
    this.bound = bound;
    this.messages = messages;
  }

  @Override
  public void prepare(int round) {
    session.prepare(round);
    FaultPoint.reach("dumper.prepared");
  }

  @Override
  public boolean handover() {
    return true;
  }

  @Override
  public void end(FrozenTree tree, int round) {
    arm(tree, round);
    HandoverState state = decision(round);
    if (state.getDecision() == Decision.ABORTED) {
      tree.thaw();
      guard.done();
      throw new PageliftException(
          ErrorCategory.REMOTE,
          "The destination did not take the tree over (" + state.getReason() + "); it goes on here as before, and the migration can be tried again.");
    }
    FaultPoint.reach("dumper.decided");
    tree.kill();
    guard.done();
  }

  /** What fails after this leaves the tree stopped, and its guard takes over. Until the server has heard ARMED a failure means that the tree goes on here. */
  private void arm(FrozenTree tree, int round) {
    try {
      FaultPoint.reach("dumper.committed");
      guard.watch(round, tree.processes());
      FaultPoint.reach("dumper.guarded");
      tree.hold();
      FaultPoint.reach("dumper.held");
      guard.armed();
    } catch (RuntimeException e) {
      session.giveUp(round, "the source could not arm itself", GIVE_UP_BOUND);
      tree.thaw();
      guard.done();
      throw e;
    }
  }

  private HandoverState decision(int round) {
    HandoverState state;
    try {
      state = session.await(round, Step.ARMED, bound);
    } catch (PageliftException e) {
      messages.line("The page-server cannot say which copy lives: " + e.getMessage());
      state = HandoverState.getDefaultInstance();
    }
    FaultPoint.reach("dumper.armed");
    return state.getDecision() == Decision.UNDECIDED ? insist(round) : state;
  }

  /** Gives up, and asks until it is known whether that came first. Meanwhile the tree stays stopped: nobody knows which copy lives. */
  private HandoverState insist(int round) {
    String reason = "no copy was ready at the destination within " + bound.toSeconds() + " s";
    while (true) {
      HandoverState state = session.giveUp(round, reason, GIVE_UP_BOUND);
      if (state.getDecision() != Decision.UNDECIDED) {
        return state;
      }
      messages.line("The tree stays stopped until the page-server says which copy lives (" + state.getReason() + "); asking on.");
    }
  }
}
