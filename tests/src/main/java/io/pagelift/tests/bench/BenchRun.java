package io.pagelift.tests.bench;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.CountLog;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Home;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.ProcessFacts;
import io.pagelift.tests.harness.RoundFigures;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** One run with one victim: a first round, three later ones, the dump, the restore. */
final class BenchRun {
  /** Mappings of the victim beside its memory. */
  static final int MAPPINGS = 300;

  /** Pages that the victim writes, and checks, in each millisecond. */
  static final int PAGES_PER_TICK = 16;

  private static final int LATER_ROUNDS = 3;
  private static final int UNDISTURBED_MILLIS = 2000;
  private static final long SEGMENT_AT_LEAST_BYTES = 1 << 20;

  private final Workspace workspace;
  private final PageServer server;
  private final Victim victim;
  private final Migration migration;
  private final String mode;

  private BenchRun(Workspace workspace, Path store, int mebibytes, String mode) {
    this.workspace = workspace;
    this.mode = mode;
    server = PageServer.start(workspace, store);
    victim =
        Victim.start(
            workspace, "counter", Integer.toString(mebibytes), Integer.toString(PAGES_PER_TICK), Integer.toString(MAPPINGS));
    migration = new Migration(victim, server, "bench");
  }

  /** Runs it; the restore only in mode read. Throws when anything goes wrong, also when the count does not go on as it should. */
  static Figures run(Workspace workspace, Path store, int mebibytes, String mode) throws IOException {
    return new BenchRun(workspace, store, mebibytes, mode).run();
  }

  private Figures run() throws IOException {
    Window before = new Window();
    Await.pauseMillis(UNDISTURBED_MILLIS);
    before.end();
    Path stats = workspace.directory().resolve("stats.json");
    Window duringFirst = new Window();
    long serverBefore = ProcessFacts.processorMillis(server.process().pid());
    Finished first = migration.preDump(mode, 1, "--stats", stats.toString());
    duringFirst.end();
    long serverMillis = ProcessFacts.processorMillis(server.process().pid()) - serverBefore;
    RoundFigures firstRound = RoundFigures.read(stats).get(0);
    Window duringLater = new Window();
    Finished later = migration.preDump(mode, LATER_ROUNDS, "--stats", stats.toString());
    duringLater.end();
    List<RoundFigures> laterRounds = RoundFigures.read(stats);
    double[] restore = mode.equals("read") ? restore() : new double[3];
    return new Figures(
        firstRound.frozenMicros() / 1e3,
        laterRounds.stream().mapToLong(RoundFigures::frozenMicros).max().orElseThrow() / 1e3,
        before.gapMillis(),
        duringLater.gapMillis(),
        100 * duringFirst.ticksPerSecond() / before.ticksPerSecond(),
        100 * duringLater.ticksPerSecond() / before.ticksPerSecond(),
        firstRound.sentBytes() / (double) Math.max(1, firstRound.roundMicros()),
        first.elapsedNanos() / 1e6,
        first.processorMillis() + serverMillis,
        Math.max(first.peakResidentKibibytes(), later.peakResidentKibibytes()) / 1024.0,
        ProcessFacts.peakResidentKibibytes(server.process().pid()) / 1024.0,
        restore[0],
        restore[1],
        restore[2]);
  }

  /** Restore, the C program beside it, downtime; milliseconds. */
  private double[] restore() throws IOException {
    migration.dump();
    Finished plain = fill();
    Finished restore = migration.restoreFromStore();
    long lines = CountLog.read(victim.directory()).lineCount();
    Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > lines);
    CountLog log = CountLog.read(victim.directory());
    if (!log.breaks().isEmpty()) {
      throw new IllegalStateException("The count is broken: " + log.breaks());
    }
    double plainMillis = Long.parseLong(plain.out().trim().split(" ", -1)[1]) / 1e6;
    return new double[] {restore.elapsedNanos() / 1e6, plainMillis, log.longestGapNanos() / 1e6};
  }

  private Finished fill() throws IOException {
    List<String> command = new ArrayList<>(List.of(Home.root().resolve("target/fill").toString()));
    try (Stream<Path> files = Files.walk(server.store())) {
      files.filter(file -> file.toFile().length() > SEGMENT_AT_LEAST_BYTES).sorted().forEach(file -> command.add(file.toString()));
    }
    return workspace.start(command).await(Duration.ofMinutes(2)).mustSucceed();
  }

  /** A stretch of the victim's life. */
  private final class Window {
    private final long beginNanos = unixNanos();
    private long endNanos;

    void end() {
      endNanos = unixNanos();
    }

    double gapMillis() {
      return CountLog.read(victim.directory(), beginNanos, endNanos).longestGapNanos() / 1e6;
    }

    double ticksPerSecond() {
      return CountLog.ticksPerSecond(victim.directory(), beginNanos, endNanos);
    }

    private static long unixNanos() {
      Instant now = Instant.now();
      return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
  }
}
