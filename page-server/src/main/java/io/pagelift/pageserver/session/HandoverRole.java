package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.Grants.Right;
import io.pagelift.wire.Frame;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.proto.HandoverRequest;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.RoundState;
import io.pagelift.wire.proto.RoundWait;

/** A session of one side of a handover. What it has ready is gone with its connection. */
final class HandoverRole implements Role {
  private final Handovers handovers;
  private final Outbound out;
  private final ClientRights rights;

  HandoverRole(Handovers handovers, Outbound out, ClientRights rights) {
    this.handovers = handovers;
    this.out = out;
    this.rights = rights;
  }

  @Override
  public void take(Frame frame, boolean more) {
    switch (frame.type()) {
      case HANDOVER -> {
        HandoverRequest request = frame.message(HandoverRequest.class);
        Names.check(request.getName(), "the name of a migration");
        checkRight(request);
        HandoverState state =
            handovers.take(
                request.getName(),
                request.getRound(),
                request.getStep(),
                request.getReason(),
                Integer.toUnsignedLong(request.getWaitMillis()),
                out);
        out.send(FrameType.HANDOVER_STATE, state);
      }
      case ROUND_WAIT -> {
        RoundWait request = frame.message(RoundWait.class);
        Names.check(request.getName(), "the name of a migration");
        rights.checkAny(request.getName(), Right.READ, Right.WRITE);
        RoundState state =
            handovers.awaitRound(
                request.getName(), request.getAfterRound(), Integer.toUnsignedLong(request.getWaitMillis()), out);
        out.send(FrameType.ROUND_STATE, state);
      }
      default -> throw new PageliftException(
          ErrorCategory.REMOTE, "a " + frame.type() + " frame has no meaning in a handover");
    }
  }

  /** The source's steps are a writer's, the destination's a restorer's; either may ask, or give up. */
  private void checkRight(HandoverRequest request) {
    switch (request.getStep()) {
      case PREPARE, ARMED -> rights.check(Right.WRITE, request.getName());
      case READY, RELEASED -> rights.check(Right.RESTORE, request.getName());
      default -> rights.checkAny(request.getName(), Right.WRITE, Right.RESTORE);
    }
  }

  @Override
  public boolean fatal(Frame frame) {
    return frame.type() != FrameType.HANDOVER && frame.type() != FrameType.ROUND_WAIT;
  }

  @Override
  public void close() {
    handovers.gone(out);
  }
}
