package io.pagelift.restorer.handover;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.FaultPoint;
import io.pagelift.common.PageliftException;
import io.pagelift.image.TreeImage;
import io.pagelift.restorer.source.ImageSource;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HandoverState.Decision;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The destination's side of a handover. The rebuilt tree, stopped before its first instruction, may run only after COMMITTED; until then
 * it ends with this program. An image of a plain dump needs no decision, and all of this does nothing.
 */
public final class Takeover implements AutoCloseable {
  private static final Duration ASK_BOUND = Duration.ofSeconds(30);

  private final @Nullable HandoverSession session;
  private final String description;
  private final int round;
  private final Duration bound;

  private Takeover(@Nullable HandoverSession session, String description, int round, Duration bound) {
    this.session = session;
    this.description = description;
    this.round = round;
    this.bound = bound;
  }

  /**
   * Looks at what is decided already.
   *
   * @param bound how long the source may take after this side is ready
   * @throws PageliftException REFUSED when this image may not be run any more
   */
  public static Takeover of(ImageSource source, TreeImage image, Duration bound) {
    if (!image.getHandover()) {
      return new Takeover(null, source.description(), source.round(), bound);
    }
    Takeover takeover = new Takeover(source.handover(), source.description(), source.round(), bound);
    try {
      takeover.refuseWhatIsDecided();
      return takeover;
    } catch (RuntimeException e) {
      takeover.close();
      throw e;
    }
  }

  private void refuseWhatIsDecided() {
    HandoverState state = open().say(round, Step.ASK);
    if (state.getDecision() == Decision.ABORTED) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The handover of " + description + " was given up (" + state.getReason() + "): the tree runs on at the source; migrate it again.");
    }
    if (state.getDecision() == Decision.RELEASED) {
      throw new PageliftException(
          ErrorCategory.REFUSED, "The copy of " + description + " was taken over before and runs elsewhere; a second one must not be made.");
    }
  }

  /** Says that the tree is ready and waits until it may run. Throws REMOTE when it may not. */
  public void take() {
    if (session == null) {
      return;
    }
    FaultPoint.reach("restorer.built");
    HandoverState state = open().await(round, Step.READY, bound);
    FaultPoint.reach("restorer.ready");
    if (state.getDecision() == Decision.UNDECIDED) {
      state = open().giveUp(round, "the source was not armed within " + bound.toSeconds() + " s", ASK_BOUND);
    }
    if (state.getDecision() == Decision.UNDECIDED) {
      throw new PageliftException(
          ErrorCategory.REMOTE,
          "The page-server cannot say which copy of " + description + " lives (" + state.getReason()
              + "); nothing was left running here. When it is back: run this command again, it takes over what was decided for it.");
    }
    if (state.getDecision() == Decision.ABORTED) {
      throw new PageliftException(
          ErrorCategory.REMOTE,
          "The handover of " + description + " was given up (" + state.getReason() + "); nothing was left running here, the tree runs on at the source.");
    }
    FaultPoint.reach("restorer.decided");
  }

  /** The tree runs here. */
  public void released() {
    if (session != null) {
      session.await(round, Step.RELEASED, ASK_BOUND);
    }
  }

  /** The tree cannot be rebuilt here: the source need not wait. */
  public void failed(RuntimeException failure) {
    if (session != null) {
      String message = failure.getMessage();
      session.giveUp(round, message == null ? "the restore failed" : "at the destination: " + message, ASK_BOUND);
    }
  }

  private HandoverSession open() {
    HandoverSession open = session;
    if (open == null) {
      throw new IllegalStateException("not a handover");
    }
    return open;
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
    }
  }
}
