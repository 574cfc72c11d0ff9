package io.pagelift.wire;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.HandoverRequest;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HandoverState.Decision;
import io.pagelift.wire.proto.RoundState;
import io.pagelift.wire.proto.RoundWait;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * One side's talk with the page-server about which copy lives.
 *
 * <p>Steps are idempotent: a side repeats what it has done until there is a decision, over a new connection when the old one was lost.
 * Used by one thread at a time.
 */
public final class HandoverSession implements AutoCloseable {
  /** The server holds an answer back at most so long. */
  private static final int LONGEST_WAIT_MILLIS = 1000;

  private static final long RETRY_MILLIS = 200;
  private static final int MAX_REASON_CHARS = 200;

  private final Supplier<Connection> connections;
  private final String name;
  private Connection connection;

  HandoverSession(Supplier<Connection> connections, Connection first, String name) {
    this.connections = connections;
    this.connection = first;
    this.name = name;
  }

  /** Makes room for the decision on the server's disk. Called by the source before it freezes. */
  public void prepare(int round) {
    once(round, Step.PREPARE, "", 0);
  }

  /** Says a step once and gives what the server knows then, without waiting. Throws when the connection is lost. */
  public HandoverState say(int round, Step step) {
    return once(round, step, "", 0);
  }

  /**
   * Repeats a step until there is a decision or the bound passes, also over lost connections.
   *
   * @return the state when it was last heard; UNDECIDED when the bound has passed or nothing was heard
   */
  public HandoverState await(int round, Step step, Duration bound) {
    long end = System.nanoTime() + bound.toNanos();
    HandoverState last = HandoverState.newBuilder().setRound(round).build();
    do {
      long leftMillis = Math.max(0, (end - System.nanoTime()) / 1_000_000);
      try {
        last = once(round, step, "", (int) Math.min(leftMillis, LONGEST_WAIT_MILLIS));
      } catch (PageliftException e) {
        if (e.category() != ErrorCategory.REMOTE && e.category() != ErrorCategory.EXHAUSTED) {
          throw e;
        }
        pause(Math.min(leftMillis, RETRY_MILLIS));
      }
    } while (last.getDecision() == Decision.UNDECIDED && System.nanoTime() - end < 0);
    return last;
  }

  /**
   * Asks for ABORTED, again and again until the server says what was decided: ABORTED, or COMMITTED when that came first. UNDECIDED when
   * nothing was heard within the bound.
   */
  public HandoverState giveUp(int round, String reason, Duration bound) {
    long end = System.nanoTime() + bound.toNanos();
    String sentence = reason.substring(0, Math.min(reason.length(), MAX_REASON_CHARS));
    while (true) {
      try {
        return once(round, Step.GIVE_UP, sentence, 0);
      } catch (PageliftException e) {
        if (System.nanoTime() - end >= 0) {
          return HandoverState.newBuilder().setRound(round).setReason(String.valueOf(e.getMessage())).build();
        }
        pause(RETRY_MILLIS);
      }
    }
  }

  /** Waits until a round after this one is committed, at most so long; gives what there is then. */
  public RoundState awaitRound(int afterRound, Duration bound) {
    int millis = (int) Math.min(bound.toMillis(), LONGEST_WAIT_MILLIS);
    RoundWait request = RoundWait.newBuilder().setName(name).setAfterRound(afterRound).setWaitMillis(millis).build();
    return connected().call(
        FrameType.ROUND_WAIT, request, FrameType.ROUND_STATE, RoundState.class, "ROUND_WAIT for '" + name + "'", replyBound(millis));
  }

  private HandoverState once(int round, Step step, String reason, int waitMillis) {
    HandoverRequest request =
        HandoverRequest.newBuilder()
            .setName(name)
            .setRound(round)
            .setStep(step)
            .setReason(reason)
            .setWaitMillis(waitMillis)
            .build();
    return connected().call(
        FrameType.HANDOVER, request, FrameType.HANDOVER_STATE, HandoverState.class, "HANDOVER " + step + " of '" + name + "'",
        replyBound(waitMillis));
  }

  private Duration replyBound(int waitMillis) {
    return connection.options().replyTimeout().plusMillis(waitMillis);
  }

  private Connection connected() {
    if (connection.failed()) {
      connection = connections.get();
    }
    return connection;
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "interrupted while waiting for a decision", e);
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
