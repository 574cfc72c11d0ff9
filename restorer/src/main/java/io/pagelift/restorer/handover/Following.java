package io.pagelift.restorer.handover;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState.Decision;
import io.pagelift.wire.proto.RoundState;
import java.time.Duration;
import java.util.function.Consumer;

/** Waits for the image of a migration while its rounds still run. */
public final class Following {
  private static final Duration ASK_BOUND = Duration.ofSeconds(1);
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final HostPort server;
  private final String migration;
  private final ClientOptions options;
  private final Consumer<String> messages;

  /** Follows one migration, which need not exist yet. */
  public Following(HostPort server, String migration, ClientOptions options, Consumer<String> messages) {
    this.server = server;
    this.migration = migration;
    this.options = options;
    this.messages = messages;
  }

  /**
   * Returns when the migration has an image that may be restored.
   *
   * @throws PageliftException EXHAUSTED when the bound passes before
   */
  public void awaitImage(Duration bound) {
    long end = System.nanoTime() + bound.toNanos();
    int seen = 0;
    String trouble = "no round has come yet";
    while (System.nanoTime() - end < 0) {
      try (PageServerClient client = PageServerClient.connect(server, options);
          HandoverSession session = client.openHandover(migration)) {
        while (System.nanoTime() - end < 0) {
          RoundState state = session.awaitRound(seen, ASK_BOUND);
          if (state.getLastRound() > seen) {
            seen = state.getLastRound();
            messages.accept("round " + seen + (state.getComplete() ? " with the image" : "") + " has arrived");
            trouble = "round " + seen + " was the last one";
            if (state.getComplete() && restorable(session, seen)) {
              return;
            }
          }
        }
      } catch (PageliftException e) {
        if (e.category() != ErrorCategory.REMOTE) {
          throw e;
        }
        trouble = String.valueOf(e.getMessage());
        pause();
      }
    }
    throw new PageliftException(
        ErrorCategory.EXHAUSTED,
        "No image of migration '" + migration + "' came to " + server + " within " + bound.toSeconds() + " s (" + trouble + ").");
  }

  /** Not an image whose handover is over: a later one may come. */
  private static boolean restorable(HandoverSession session, int round) {
    try {
      Decision decision = session.say(round, Step.ASK).getDecision();
      return decision != Decision.ABORTED && decision != Decision.RELEASED;
    } catch (PageliftException e) {
      if (e.category() == ErrorCategory.USAGE) {
        // Never announced: a plain dump.
        return true;
      }
      throw e;
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted while waiting for an image.", e);
    }
  }
}
