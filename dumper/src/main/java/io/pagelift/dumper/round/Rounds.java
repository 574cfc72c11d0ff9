package io.pagelift.dumper.round;

import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.freeze.FreezeRehearsal;
import io.pagelift.dumper.freeze.ProcessWalk;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.refuse.HiddenInspection;
import io.pagelift.dumper.refuse.Refusal;
import io.pagelift.dumper.refuse.TreeRefused;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.dumper.stats.RoundTable;
import io.pagelift.dumper.stats.StatsFile;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.wire.HandoverSession;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** One command's connection, trackers and figures, from the first look at the target to the last round. */
final class Rounds implements AutoCloseable {
  private static final int FREEZES = 20;
  private static final long MAX_BETWEEN_FREEZES_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long BETWEEN_FREEZES_NANOS = TimeUnit.MILLISECONDS.toNanos(7);
  private static final Duration TRACER_BOUND = Duration.ofSeconds(10);

  private final DumpOptions options;
  private final Messages messages;
  private final StatsFile stats;
  private final TrackerChoice choice;
  private final TracerThread tracer;
  private final MigrationTarget target;
  private final ObjectRegistry registry;
  private final Continuity continuity;
  private final TreeTracking tracking;
  private final SharedObjects sharedObjects;
  private final String trackerName;
  private boolean headerPrinted;

  private Rounds(DumpOptions options, StatsFile stats, MigrationTarget target, TracerThread tracer, Messages messages) {
    this.options = options;
    this.messages = messages;
    this.target = target;
    this.tracer = tracer;
    this.stats = stats;
    choice = TrackerChoice.choose(options.features(), options.tracker());
    trackerName = choice.kind().text();
    continuity =
        choice.kind() == TrackerKind.UFFD_WP
            ? Continuity.find(TreeProcesses.withMemory(options.pid()), target.opened())
            : Continuity.none(target.opened());
    if (!continuity.explanation().isEmpty()) {
      messages.line(continuity.explanation());
    }
    registry = new ObjectRegistry(target.opened(), continuity.continued());
    UserFaultInjection injection = new UserFaultInjection(tracer);
    if (choice.kind() == TrackerKind.UFFD_WP && !continuity.continued()) {
      injection.rehearse();
    }
    tracking = new TreeTracking(options.pid(), choice, target.session(), registry, continuity, injection, messages);
    sharedObjects = new SharedObjects(registry, target.session());
  }

  /**
   * Checks the target, connects to the server and prepares everything that can be done before a freeze.
   *
   * @param stats checked already
   */
  static Rounds open(DumpOptions options, StatsFile stats, Messages messages) {
    TargetCheck.check(options.pid());
    MigrationTarget target = MigrationTarget.open(options.server(), options.migration(), options.connection());
    TracerThread tracer = TracerThread.start();
    try {
      tracer.run("raise the tracer's priority", TRACER_BOUND, Urgency::raise);
      return new Rounds(options, stats, target, tracer, messages);
    } catch (RuntimeException failure) {
      tracer.close();
      target.close();
      throw failure;
    }
  }

  /** Which tracker is used. */
  TrackerKind tracker() {
    return choice.kind();
  }

  /** One round while the tree runs. */
  RoundStats live() {
    RoundStats round =
        new LiveRound(target.session(), registry, tracking, sharedObjects, tracer, continuity.token(), trackerName).run();
    report(round);
    return round;
  }

  /** One round in splice mode. */
  RoundStats splice() {
    RoundStats round =
        new SpliceRound(
                target.session(),
                registry,
                tracking,
                sharedObjects,
                tracer,
                continuity.token(),
                trackerName + SpliceRound.TRACKER_SUFFIX)
            .run();
    report(round);
    messages.line("          " + round.pipeLine());
    return round;
  }

  /** A session about which copy lives, at the same page-server. */
  HandoverSession handover() {
    return target.handover();
  }

  /**
   * Stops the tree for a moment to ask its processes what cannot be seen from outside.
   *
   * @throws TreeRefused for what cannot be carried over
   */
  void refuseHidden(CollectOptions collectOptions) {
    try (RawReader reader = new RawReader()) {
      List<Refusal> refusals =
          HiddenInspection.ask(tracer, options.pid(), ProcessWalk.pids(reader, options.pid()), collectOptions);
      if (!refusals.isEmpty()) {
        throw new TreeRefused(refusals);
      }
    }
  }

  /** Makes the freeze that comes as short as it can be. */
  void rehearseDump() {
    FreezeRehearsal.run();
  }

  /** The last round; the tree is ended or goes on, as the ending says. */
  FinalRound.Outcome last(CollectOptions collectOptions, Ending ending) {
    FinalRound.Outcome outcome = frozen(collectOptions, ending);
    report(outcome.stats());
    tracking.release();
    return outcome;
  }

  /** An event that is just being read, for example, stands against a dump for a moment only: then the tree runs on for that long. */
  private FinalRound.Outcome frozen(CollectOptions collectOptions, Ending ending) {
    for (int i = 1; ; i++) {
      try {
        FinalRound round =
            new FinalRound(
                target.session(), registry, tracking, sharedObjects, tracer, continuity.token(), trackerName);
        return round.run(options.pid(), collectOptions, ending);
      } catch (TreeRefused refused) {
        if (!refused.passing() || i == FREEZES) {
          throw refused;
        }
        // Longer each time: on a busy machine a program may not run at all in a few milliseconds.
        LockSupport.parkNanos(Math.min(BETWEEN_FREEZES_NANOS << (i / 2), MAX_BETWEEN_FREEZES_NANOS));
      }
    }
  }

  private void report(RoundStats round) {
    if (!headerPrinted) {
      messages.line(RoundTable.HEADER);
      headerPrinted = true;
    }
    messages.line(round.tableLine());
    if (!round.exitedPids().isEmpty()) {
      messages.line("          exited meanwhile: " + round.exitedPids());
    }
    stats.add(round, messages::line);
  }

  @Override
  public void close() {
    tracking.close();
    continuity.close();
    tracer.close();
    target.close();
  }
}
