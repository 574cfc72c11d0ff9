package io.pagelift.dumper.round;

import io.pagelift.common.PageliftException;
import io.pagelift.dumper.guard.Guard;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.dumper.stats.StatsFile;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.wire.HandoverSession;
import java.nio.file.Path;
import java.time.Duration;

/** The command migrate: rounds until the downtime will be short, the last one, and the handover. */
public final class Migrate {
  private final DumpOptions options;
  private final Limits limits;
  private final Messages messages;

  /**
   * When to stop and how long to wait.
   *
   * @param maxDowntime what the predicted downtime should be below
   * @param maxRounds most rounds while the tree runs, from 1 on
   * @param handover how long the destination may take to have its copy ready
   */
  public record Limits(Duration maxDowntime, int maxRounds, Duration handover) {}

  /** A migration. */
  public Migrate(DumpOptions options, Limits limits, Messages messages) {
    this.options = options;
    this.limits = limits;
    this.messages = messages;
  }

  /**
   * Migrates the tree.
   *
   * @param guardLog where the guard writes when this program is gone
   * @throws PageliftException in every foreseen failure; the tree runs on here then
   */
  public void run(CollectOptions collectOptions, Path guardLog) {
    StatsFile stats = options.stats("migrate");
    stats.check();
    TargetCheck.check(options.pid());
    Dump.refuseWhatCannotBeCarried(options.pid(), collectOptions);
    try (Guard guard = Guard.start(guardLog);
        Rounds all = Rounds.open(options, stats, messages);
        HandoverSession session = all.handover()) {
      all.rehearseDump();
      all.refuseHidden(collectOptions);
      converge(all);
      // Once more: what is warm now may be cold after long rounds.
      all.rehearseDump();
      guard.rehearse();
      long start = System.nanoTime();
      FinalRound.Outcome outcome =
          all.last(collectOptions, new Handover(session, guard, limits.handover(), messages));
      messages.line(
          "Handed over: " + outcome.pids().size() + " processes run at the destination; they stood still here for "
              + outcome.stats().frozenNanos() / 1_000_000 + " ms of " + (System.nanoTime() - start) / 1_000_000 + " ms.");
    }
  }

  private void converge(Rounds all) {
    Convergence convergence = new Convergence(limits.maxDowntime(), limits.maxRounds());
    boolean another = true;
    while (another) {
      long start = System.nanoTime();
      RoundStats round = all.live();
      another = convergence.another(round.sentPages(), System.nanoTime() - start);
    }
    messages.line(convergence.explanation());
  }
}
