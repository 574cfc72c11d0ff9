package io.pagelift.tests.demo;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.CountLog;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.RoundFigures;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Moves a counting victim with the commands that a user would type and shows what happened. Ends with 0 only when the count went on
 * without a gap or a repeat and the victim found nothing broken.
 */
public final class DemoMain {
  private static final int PRE_DUMP_ROUNDS = 5;
  private static final int PAGES_PER_TICK = 8;
  private static final String FORMAT = "%-11s %9s %10s %10s %10s %8s %8s %10s %9s%n";

  private DemoMain() {}

  /** Runs the demo; the argument is the size of the victim's memory in MiB, 256 when absent. */
  public static void main(String[] arguments) throws IOException {
    int mebibytes = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 256;
    // Not in /tmp: that is a tmpfs on many systems, and a victim's files are to be ordinary ones.
    Path directory = Files.createTempDirectory(Path.of("/var/tmp"), "pagelift-demo-");
    boolean proven;
    try (Workspace workspace = Workspace.at(directory)) {
      proven = run(workspace, mebibytes);
    }
    if (!proven) {
      System.out.println("The logs stay in " + directory + ".");
      System.exit(1);
    }
    try (Workspace emptied = Workspace.at(directory)) {
      Files.delete(emptied.directory());
    }
  }

  private static boolean run(Workspace workspace, int mebibytes) {
    PageServer server = PageServer.start(workspace);
    System.out.printf("page-server listens on %s, store %s%n", server.address(), server.store());
    Victim victim = Victim.start(workspace, "counter", Integer.toString(mebibytes), Integer.toString(PAGES_PER_TICK));
    System.out.printf(
        "victim %d counts once a millisecond, rewrites %d of its %d MiB pages each time and appends to a file%n%n",
        victim.pid(), PAGES_PER_TICK, mebibytes);
    Await.pauseMillis(500);
    Migration migration = new Migration(victim, server, "demo");
    List<RoundFigures> rounds = new ArrayList<>();
    for (int round = 1; round <= PRE_DUMP_ROUNDS; round++) {
      Path stats = workspace.directory().resolve("stats-" + round + ".json");
      migration.preDump(1, "--stats", stats.toString());
      rounds.addAll(RoundFigures.read(stats));
    }
    Path stats = workspace.directory().resolve("stats-dump.json");
    migration.dump("--stats", stats.toString());
    rounds.addAll(RoundFigures.read(stats));
    long countAtTheDump = CountLog.read(victim.directory()).lineCount();
    Finished restore = migration.restore();
    Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > countAtTheDump + 300);
    printTable(rounds);
    System.out.printf(Locale.ROOT, "%nrestorer restore took %.0f ms, its start included%n", restore.elapsedNanos() / 1e6);
    return prove(victim, countAtTheDump);
  }

  private static void printTable(List<RoundFigures> rounds) {
    System.out.printf(FORMAT, "round", "frozen ms", "scanned", "sent", "skipped", "zero", "dedup", "MiB", "ms");
    for (RoundFigures round : rounds) {
      System.out.printf(
          FORMAT,
          label(round),
          String.format(Locale.ROOT, "%.2f", round.frozenMicros() / 1e3),
          round.scannedPages(),
          round.sentPages(),
          round.skippedPages(),
          round.zeroPages(),
          round.deduplicatedPages(),
          String.format(Locale.ROOT, "%.1f", round.sentBytes() / (double) (1 << 20)),
          String.format(Locale.ROOT, "%.0f", round.roundMicros() / 1e3));
    }
    System.out.printf("pages of 4096 bytes; tracked by %s%n", rounds.get(0).tracker());
  }

  /** The dump sends what was written since the last pre-dump before it freezes anything: that is one more round without a freeze. */
  private static String label(RoundFigures round) {
    if (round.complete()) {
      return "dump " + round.round();
    }
    return (round.round() > PRE_DUMP_ROUNDS ? "dump " : "pre-dump ") + round.round();
  }

  private static boolean prove(Victim victim, long countAtTheDump) {
    List<String> broken = victim.finish();
    CountLog log = CountLog.read(victim.directory());
    System.out.printf(
        Locale.ROOT,
        "downtime as the victim saw it: %.0f ms (longest time between two lines of its file)%n",
        log.longestGapNanos() / 1e6);
    System.out.printf("the count stood at %d when the victim was dumped and went on to %d under the same pid %d%n", countAtTheDump, log.lineCount(), victim.pid());
    if (broken.isEmpty() && log.breaks().isEmpty()) {
      System.out.printf("proof: %d lines, each one above the line before: no gap, no repeat; every page of memory checked: right%n", log.lineCount());
      return true;
    }
    System.out.println("NOT PROVEN: " + log.breaks() + " " + broken);
    return false;
  }
}
