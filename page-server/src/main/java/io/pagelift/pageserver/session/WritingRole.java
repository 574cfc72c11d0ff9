package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.MigrationLog;
import io.pagelift.pageserver.store.RoundInProgress;
import io.pagelift.tls.Grants.Right;
import io.pagelift.wire.Frame;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.Messages;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.BatchAck;
import io.pagelift.wire.proto.HeldRequest;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.RoundAbort;
import io.pagelift.wire.proto.RoundAborted;
import io.pagelift.wire.proto.RoundBegin;
import io.pagelift.wire.proto.RoundBegun;
import io.pagelift.wire.proto.RoundCommit;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives the rounds of one migration.
 *
 * <p>A batch is acknowledged when the store has taken it, several at once: when no other frame waits, or when {@link #ACK_BYTES}
 * were taken since the last acknowledgement. The client's window is several times that, so it never waits for an acknowledgement
 * that is held back.
 */
final class WritingRole implements Role {
  private static final Logger LOG = LoggerFactory.getLogger(WritingRole.class);
  private static final long ACK_BYTES = 1L << 20;

  /** Frames without payload cost little; acknowledged at least so often, the client's list of what is in flight stays short. */
  private static final int ACK_FRAMES = 64;

  private final MigrationLog log;
  private final Outbound out;
  private final Runnable whenCommitted;
  private final ClientRights rights;
  private final OpenRounds openRounds;
  private final SessionEvents events;
  private @Nullable RoundInProgress round;
  private int roundNumber;
  private long lastSequence;
  private long acknowledgedSequence;
  private long bytesSinceAck;

  WritingRole(MigrationLog log, Outbound out, ClientRights rights, OpenRounds openRounds, SessionEvents events, Runnable whenCommitted) {
    this.log = log;
    this.out = out;
    this.rights = rights;
    this.openRounds = openRounds;
    this.events = events;
    this.whenCommitted = whenCommitted;
  }

  @Override
  public void take(Frame frame, boolean more) {
    switch (frame.type()) {
      case PAGE_BATCH -> pageBatch(frame);
      case IMAGE_PART -> imagePart(frame);
      case ROUND_BEGIN -> begin(frame.message(RoundBegin.class));
      case ROUND_COMMIT -> commit(frame.message(RoundCommit.class));
      case ROUND_ABORT -> abort(frame.message(RoundAbort.class));
      case HELD_REQUEST -> {
        long objectId = frame.message(HeldRequest.class).getObjectId();
        Replies.held(out, objectId, log.held(objectId));
      }
      default -> throw new PageliftException(
          ErrorCategory.REMOTE, "a " + frame.type() + " frame has no meaning while a migration is written");
    }
    acknowledge(more);
  }

  @Override
  public boolean fatal(Frame frame) {
    return switch (frame.type()) {
      case ROUND_BEGIN, ROUND_COMMIT, ROUND_ABORT, HELD_REQUEST -> false;
      default -> true;
    };
  }

  private void begin(RoundBegin begin) {
    if (round != null) {
      throw new PageliftException(
          ErrorCategory.USAGE, "round " + roundNumber + " of '" + log.name() + "' is neither committed nor aborted yet");
    }
    // Asked again for each round: a revoked certificate ends with the round that runs.
    rights.check(Right.WRITE, log.name());
    openRounds.begun();
    try {
      round =
          log.beginRound(
              begin.getRound(), Messages.printable(begin.getTracker()), begin.getTrackingToken(), begin.getStartedUnixNanos());
    } finally {
      if (round == null) {
        openRounds.ended();
      }
    }
    roundNumber = begin.getRound();
    lastSequence = 0;
    acknowledgedSequence = 0;
    bytesSinceAck = 0;
    out.send(FrameType.ROUND_BEGUN, RoundBegun.newBuilder().setRound(roundNumber).build());
  }

  private void pageBatch(Frame frame) {
    PageBatch batch = frame.message(PageBatch.class);
    RoundInProgress current = inRound(frame, batch.getSequence());
    if (batch.getObjectId() < 1) {
      throw frame.malformed("object id " + Long.toUnsignedString(batch.getObjectId()) + " is out of range");
    }
    List<PageRun> runs = Messages.fromWire(frame, batch.getRunsList());
    current.append(batch.getObjectId(), runs, frame.payload(), frame.pageChecksums());
    taken(frame, batch.getSequence());
  }

  private void imagePart(Frame frame) {
    ImagePart part = frame.message(ImagePart.class);
    RoundInProgress current = inRound(frame, part.getSequence());
    int partBytes = frame.payloadBytes();
    if (partBytes == 0 || part.getOffset() < 0 || part.getTotalBytes() < 1 || part.getOffset() > part.getTotalBytes() - partBytes) {
      throw frame.malformed("offset, length and total length contradict each other");
    }
    Names.check(part.getName(), "the name of an image");
    current.putImagePart(part.getName(), part.getOffset(), part.getTotalBytes(), frame.payload());
    taken(frame, part.getSequence());
  }

  private RoundInProgress inRound(Frame frame, long sequence) {
    RoundInProgress current = round;
    if (current == null) {
      throw new PageliftException(ErrorCategory.REMOTE, "a " + frame.type() + " frame came outside of a round");
    }
    if (sequence != lastSequence + 1) {
      throw frame.malformed(
          "number " + Long.toUnsignedString(sequence) + " came where " + (lastSequence + 1) + " was expected");
    }
    return current;
  }

  private void taken(Frame frame, long sequence) {
    lastSequence = sequence;
    bytesSinceAck += frame.lengthBytes();
  }

  private void acknowledge(boolean more) {
    long frames = lastSequence - acknowledgedSequence;
    if (round == null || frames == 0 || (more && bytesSinceAck < ACK_BYTES && frames < ACK_FRAMES)) {
      return;
    }
    acknowledgedSequence = lastSequence;
    bytesSinceAck = 0;
    out.send(FrameType.BATCH_ACK, BatchAck.newBuilder().setSequence(lastSequence).build());
  }

  private void commit(RoundCommit commit) {
    RoundInProgress current = round;
    if (current == null || commit.getRound() != roundNumber) {
      throw new PageliftException(
          ErrorCategory.USAGE, "round " + Integer.toUnsignedString(commit.getRound()) + " of '" + log.name() + "' is not open");
    }
    round = null;
    try {
      long startNanos = System.nanoTime();
      RoundResult result = committed(current, commit);
      events.roundCommitted(result, System.nanoTime() - startNanos);
      LOG.info("{}: round {} of '{}' committed: {}", out.peer(), roundNumber, log.name(), result);
      whenCommitted.run();
      out.send(FrameType.ROUND_COMMITTED, Messages.toWire(result));
    } finally {
      // After the answer: a server that stops waits for this.
      openRounds.ended();
    }
  }

  private RoundResult committed(RoundInProgress current, RoundCommit commit) {
    try {
      if (commit.getBatchCount() != lastSequence) {
        throw new PageliftException(
            ErrorCategory.REMOTE,
            "round " + roundNumber + " of '" + log.name() + "' is not committed: " + Long.toUnsignedString(commit.getBatchCount())
                + " batches were announced and " + lastSequence + " arrived; send the round again");
      }
      checkObjects(commit.getObjectsList());
      return current.commit(commit.getObjectsList(), commit.getComplete());
    } catch (RuntimeException e) {
      events.roundLost();
      current.abort();
      throw e;
    }
  }

  private static void checkObjects(List<ObjectInfo> objects) {
    Set<Long> ids = new HashSet<>();
    for (ObjectInfo object : objects) {
      if (object.getId() < 1 || !ids.add(object.getId())) {
        throw new PageliftException(
            ErrorCategory.REMOTE, "object id " + Long.toUnsignedString(object.getId()) + " is out of range or named twice");
      }
    }
  }

  private void abort(RoundAbort abort) {
    RoundInProgress current = round;
    if (current == null || abort.getRound() != roundNumber) {
      throw new PageliftException(
          ErrorCategory.USAGE, "round " + Integer.toUnsignedString(abort.getRound()) + " of '" + log.name() + "' is not open");
    }
    round = null;
    openRounds.ended();
    events.roundLost();
    current.abort();
    LOG.info("{}: round {} of '{}' aborted: {}", out.peer(), roundNumber, log.name(), Messages.printable(abort.getReason()));
    out.send(FrameType.ROUND_ABORTED, RoundAborted.newBuilder().setRound(roundNumber).build());
  }

  @Override
  public void close() {
    RoundInProgress current = round;
    round = null;
    try {
      if (current != null) {
        openRounds.ended();
        events.roundLost();
        current.abort();
      }
    } finally {
      log.close();
    }
  }
}
