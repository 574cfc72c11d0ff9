package io.pagelift.dumper.guard;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HandoverState.Decision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * The guard's own process.
 *
 * <p>It listens to its dumper on standard input. When that ends without {@link #DONE} the dumper is gone: the tree it was told of is stopped
 * by the signals that the dumper had queued, and this process answers for it. If the server had not been told that the source is armed, or
 * nothing is decided within the bound, it gives up; in any case it asks until it knows. COMMITTED: the tree is killed here, its copy lives
 * at the destination. ABORTED: it is continued. Until then it stays stopped.
 */
public final class GuardLoop {
  static final String WATCH = "WATCH";
  static final String WATCHING = "WATCHING";
  static final String ARMED = "ARMED";
  static final String DONE = "DONE";

  private static final Duration ASK_BOUND = Duration.ofSeconds(10);
  private static final long RETRY_MILLIS = 500;

  private final HostPort server;
  private final String migration;
  private final Duration handoverBound;
  private final ClientOptions options;
  private final PrintStream log;
  private List<GuardedProcess> tree = List.of();
  private int round;
  private boolean armed;
  private String lastSaid = "";

  /** A guard for one migration. */
  public GuardLoop(HostPort server, String migration, Duration handoverBound, ClientOptions options, PrintStream log) {
    this.server = server;
    this.migration = migration;
    this.handoverBound = handoverBound;
    this.options = options;
    this.log = log;
  }

  /** Runs until there is nothing to guard any more. */
  public void run(BufferedReader fromDumper, PrintStream toDumper) throws IOException {
    // A signal that the terminal sends to the dumper's group is not for its guard.
    Kernel.call(SyscallNumbers.SETSID);
    String line = fromDumper.readLine();
    while (line != null) {
      List<String> words = Arrays.asList(line.split(" ", -1));
      switch (words.get(0)) {
        case WATCH -> {
          tree = GuardedProcess.parse(words.subList(2, words.size()));
          round = Integer.parseInt(words.get(1));
          // Looks at each once, so that the code is there when it counts.
          tree.forEach(GuardedProcess::lives);
          toDumper.println(WATCHING);
          toDumper.flush();
        }
        case ARMED -> armed = true;
        case DONE -> {
          return;
        }
        default -> throw new PageliftException(
            ErrorCategory.USAGE, "The guard does not understand '" + words.get(0) + "'; only the dumper starts it.");
      }
      line = fromDumper.readLine();
    }
    if (round > 0) {
      say("the dumper is gone; asking " + server + " what was decided about round " + round + " of '" + migration + "'");
      end(decision());
    }
  }

  private Decision decision() {
    String reason = "the dumper was lost " + (armed ? "after it was armed, and no copy was ready in time" : "before it was armed");
    Duration patience = armed ? handoverBound : Duration.ZERO;
    while (true) {
      try (PageServerClient client = PageServerClient.connect(server, options);
          HandoverSession session = client.openHandover(migration)) {
        Decision decision = session.await(round, armed ? Step.ARMED : Step.ASK, patience).getDecision();
        patience = Duration.ZERO;
        if (decision == Decision.UNDECIDED) {
          HandoverState given = session.giveUp(round, reason, ASK_BOUND);
          decision = given.getDecision();
        }
        if (decision != Decision.UNDECIDED) {
          return decision;
        }
      } catch (RuntimeException e) {
        // Nothing may end the guard before it knows.
        say("no decision yet, the tree stays stopped: " + e.getMessage());
      }
      pause();
    }
  }

  private void end(Decision decision) {
    for (GuardedProcess process : tree) {
      if (!process.lives()) {
        continue;
      }
      if (decision != Decision.ABORTED) {
        Spawn.kill(process.pid(), Constants.SIGKILL);
      } else if (!process.stoppedBefore()) {
        Spawn.kill(process.pid(), Constants.SIGCONT);
      }
    }
    say(decision == Decision.ABORTED
        ? "the handover was given up; the tree goes on here"
        : "the copy at the destination lives; the tree is ended here");
  }

  /** Says something once: it asks twice a second, for as long as it takes. */
  private void say(String text) {
    if (text.equals(lastSaid)) {
      return;
    }
    lastSaid = text;
    log.println("guard of '" + migration + "': " + text);
    log.flush();
  }

  private static void pause() {
    try {
      Thread.sleep(RETRY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "The guard was interrupted.", e);
    }
  }
}
