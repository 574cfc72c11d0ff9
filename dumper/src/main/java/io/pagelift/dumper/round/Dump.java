package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.refuse.Refusal;
import io.pagelift.dumper.refuse.Refusals;
import io.pagelift.dumper.stats.StatsFile;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.ProcTree;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The command dump: the state and the last pages of a tree, which then is ended, or goes on when asked to. */
public final class Dump {
  /** A parent that is alive and well collects its child at once. */
  private static final Duration REAP_BOUND = Duration.ofSeconds(2);

  private static final int MAX_LIVE_ROUNDS = 3;

  /** 16 MiB: sent in a fraction of the time that the rest of a freeze takes. */
  private static final long SMALL_ROUND_PAGES = 4096;

  private final DumpOptions options;
  private final Messages messages;

  /** A dump. */
  public Dump(DumpOptions options, Messages messages) {
    this.options = options;
    this.messages = messages;
  }

  /**
   * Dumps the tree.
   *
   * @param collectOptions what may be carried over and how
   * @param leaveRunning let the tree go on instead of ending it
   * @throws PageliftException in every foreseen failure; before the commit the tree runs on
   */
  public void run(CollectOptions collectOptions, boolean leaveRunning) {
    StatsFile stats = options.stats("dump");
    stats.check();
    TargetCheck.check(options.pid());
    refuseWhatCannotBeCarried(options.pid(), collectOptions);
    try (Rounds all = Rounds.open(options, stats, messages)) {
      all.rehearseDump();
      all.refuseHidden(collectOptions);
      sendLive(all);
      FinalRound.Outcome outcome = all.last(collectOptions, (tree, round) -> end(tree, leaveRunning));
      if (!leaveRunning) {
        awaitPids(outcome.pids());
      }
    }
  }

  private static void end(FrozenTree tree, boolean leaveRunning) {
    if (leaveRunning) {
      tree.thaw();
    } else {
      tree.kill();
    }
  }

  /**
   * Sends while the tree runs what the frozen pass then need not send. What was written during a long round is worth another, short
   * one; where reading is all that tracking can do, it would be as long as the first.
   */
  private static void sendLive(Rounds all) {
    long sentPages = all.live().sentPages();
    for (int i = 1; i < MAX_LIVE_ROUNDS && sentPages > SMALL_ROUND_PAGES && all.tracker() != TrackerKind.COMPARE; i++) {
      sentPages = all.live().sentPages();
    }
  }

  /** Throws REFUSED with one sentence for each thing that stands in the way. */
  static void refuseWhatCannotBeCarried(int pid, CollectOptions collectOptions) {
    List<Refusal> refusals = Refusals.check(pid, collectOptions);
    if (!refusals.isEmpty()) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          refusals.stream().map(Refusal::sentence).collect(Collectors.joining(System.lineSeparator())));
    }
  }

  /** A killed process keeps its pid until its parent has collected it, and a restore on this host needs the pid. */
  private void awaitPids(List<Integer> pids) {
    List<Integer> taken = new ArrayList<>(pids);
    Deadline.in(REAP_BOUND)
        .await(
            () -> {
              taken.removeIf(pid -> !ProcTree.pids().contains(pid));
              return taken.isEmpty();
            });
    if (!taken.isEmpty()) {
      messages.line(
          "Ended, but not collected by their parent yet: " + taken
              + "; these pids stay taken on this host until it waits for them or ends.");
    }
  }
}
