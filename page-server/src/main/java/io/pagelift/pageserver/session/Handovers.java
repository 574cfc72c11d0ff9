package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.MigrationReader;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.store.proto.HandoverRecord;
import io.pagelift.store.proto.HandoverRecord.State;
import io.pagelift.wire.Messages;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HandoverState.Decision;
import io.pagelift.wire.proto.RoundState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides which copy of a tree lives.
 *
 * <p>A handover is COMMITTED once the source has said ARMED (its copy will not run again by itself) and a destination has said READY over
 * a connection that still lives; it is ABORTED when either side gives up before. Whatever comes first is written to stable storage and
 * never changes. ARMED is written too, so that a source host that is lost after it costs nothing; READY is not, because a copy that is
 * not yet released ends with the restorer that holds it.
 */
final class Handovers {
  private static final Logger LOG = LoggerFactory.getLogger(Handovers.class);
  private static final long LONGEST_WAIT_MILLIS = 10_000;

  private static final int MAX_REASON_CHARS = 200;

  /** Between two looks whether a waiting client is still there. */
  private static final long LOOK_MILLIS = 100;

  private final PageStore store;
  private final Map<Key, Outbound> ready = new HashMap<>();
  private long changes;

  private record Key(String name, int round) {}

  Handovers(PageStore store) {
    this.store = store;
  }

  /** One step of one side; the answer waits for a decision as long as was asked for. */
  HandoverState take(String name, int round, Step step, String reason, long waitMillis, Outbound client) {
    if (round < 1) {
      throw new PageliftException(ErrorCategory.USAGE, "a handover needs the number of its round");
    }
    Key key = new Key(name, round);
    long end = end(waitMillis);
    synchronized (this) {
      apply(key, step, reason, client);
      HandoverState state = state(key);
      while (state.getDecision() == Decision.UNDECIDED && System.nanoTime() - end < 0 && client.alive()) {
        pause(end);
        state = state(key);
      }
      return state;
    }
  }

  /** Waits for a committed round after this one. */
  RoundState awaitRound(String name, int afterRound, long waitMillis, Outbound client) {
    long end = end(waitMillis);
    synchronized (this) {
      long seen = changes;
      RoundState state = roundState(name);
      while (state.getLastRound() <= afterRound && System.nanoTime() - end < 0 && client.alive()) {
        pause(end);
        if (seen != changes) {
          seen = changes;
          state = roundState(name);
        }
      }
      return state;
    }
  }

  /** A round of some migration was committed: who waits looks again. */
  synchronized void roundCommitted() {
    changes++;
    notifyAll();
  }

  /** A connection has ended: what was ready there is gone. */
  synchronized void gone(Outbound client) {
    ready.values().removeIf(owner -> owner == client);
  }

  private void apply(Key key, Step step, String reason, Outbound client) {
    Optional<HandoverRecord> last = store.handovers().last(key.name, key.round);
    if (last.isEmpty()) {
      if (step != Step.PREPARE) {
        throw new PageliftException(
            ErrorCategory.USAGE, "Round " + key.round + " of migration '" + key.name + "' was not announced for a handover.");
      }
      // Throws when there is no such migration.
      store.readMigration(key.name).close();
      store.handovers().prepare(key.name, key.round, record(State.PREPARED, ""));
      return;
    }
    State state = last.get().getState();
    switch (step) {
      case ARMED -> {
        if (state == State.PREPARED) {
          write(key, State.ARMED, "");
        }
      }
      case READY -> {
        if (undecided(state)) {
          ready.put(key, client);
        }
      }
      case GIVE_UP -> {
        if (undecided(state)) {
          write(key, State.ABORTED, Messages.printable(reason.substring(0, Math.min(reason.length(), MAX_REASON_CHARS))));
        }
      }
      case RELEASED -> {
        if (state == State.COMMITTED) {
          write(key, State.RELEASED, "");
        }
      }
      default -> {
        // PREPARE again, or a question.
      }
    }
    commitWhenBothAre(key);
  }

  private void commitWhenBothAre(Key key) {
    Outbound owner = ready.get(key);
    if (owner != null && owner.alive() && store.handovers().last(key.name, key.round).orElseThrow().getState() == State.ARMED) {
      write(key, State.COMMITTED, "");
      ready.remove(key);
    }
  }

  private void write(Key key, State state, String reason) {
    store.handovers().add(key.name, key.round, record(state, reason));
    LOG.info("handover of round {} of '{}': {} {}", key.round, key.name, state, reason);
    changes++;
    notifyAll();
  }

  private HandoverState state(Key key) {
    HandoverRecord last = store.handovers().last(key.name, key.round).orElseThrow();
    Decision decision =
        switch (last.getState()) {
          case COMMITTED -> Decision.COMMITTED;
          case ABORTED -> Decision.ABORTED;
          case RELEASED -> Decision.RELEASED;
          default -> Decision.UNDECIDED;
        };
    return HandoverState.newBuilder()
        .setRound(key.round)
        .setDecision(decision)
        .setArmed(last.getState() != State.PREPARED && last.getState() != State.ABORTED)
        .setReady(ready.containsKey(key) || decision == Decision.COMMITTED || decision == Decision.RELEASED)
        .setReason(last.getReason())
        .build();
  }

  private RoundState roundState(String name) {
    try (MigrationReader reader = store.readMigration(name)) {
      return RoundState.newBuilder().setLastRound(reader.lastRound()).setComplete(reader.complete()).build();
    } catch (PageliftException e) {
      if (e.category() == ErrorCategory.USAGE) {
        return RoundState.getDefaultInstance();
      }
      throw e;
    }
  }

  private static boolean undecided(State state) {
    return state == State.PREPARED || state == State.ARMED;
  }

  private static HandoverRecord record(State state, String reason) {
    return HandoverRecord.newBuilder()
        .setState(state)
        .setReason(reason)
        .setUnixNanos(ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now()))
        .build();
  }

  private static long end(long waitMillis) {
    return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(0, Math.min(waitMillis, LONGEST_WAIT_MILLIS)));
  }

  // The callers loop: a notice may be of another migration.
  @SuppressWarnings("WaitNotInLoop")
  private void pause(long end) {
    long leftMillis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime()) + 1;
    try {
      wait(Math.max(1, Math.min(leftMillis, LOOK_MILLIS)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "interrupted while waiting for a decision", e);
    }
  }
}
