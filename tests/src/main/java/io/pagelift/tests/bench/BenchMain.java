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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Prints one table: for each size of a victim and each mode, what a first and a later pre-dump round cost, and what the dump and the
 * restore cost. Pages do not repeat; the store is on tmpfs, both ends share the machine.
 */
public final class BenchMain {
  private static final int MAPPINGS = 300;
  private static final String FORMAT = "%9s %-7s %11s %11s %12s %12s %9s %11s %11s%n";

  private BenchMain() {}

  /** Runs the benchmark; the arguments are sizes in MiB, 64, 1024 and 4096 when absent. */
  public static void main(String[] arguments) throws IOException {
    List<Integer> sizes = new ArrayList<>();
    for (String argument : arguments) {
      sizes.add(Integer.valueOf(argument));
    }
    if (sizes.isEmpty()) {
      sizes.addAll(List.of(64, 1024, 4096));
    }
    Path directory = Files.createTempDirectory(Path.of("/var/tmp"), "pagelift-bench-");
    Path store = Files.createTempDirectory(Path.of("/dev/shm"), "pagelift-bench-");
    System.out.printf("kernel %s, %d processors; victim of %d and more mappings, 16 pages written per ms%n%n", kernel(), Runtime.getRuntime().availableProcessors(), MAPPINGS);
    System.out.printf(FORMAT, "MiB", "mode", "frozen 1", "frozen 2", "gap before", "gap round 2", "MB/s", "dumper MiB", "server MiB");
    List<String> restores = new ArrayList<>();
    for (int size : sizes) {
      for (String mode : List.of("read", "splice")) {
        try (Workspace workspace = Workspace.at(directory);
            Workspace fresh = Workspace.at(store)) {
          measure(workspace, fresh.directory(), size, mode, restores);
        }
      }
    }
    System.out.println("\nfrozen N: how long the tree stood still in pre-dump round N; gap: longest time between two 1 ms heartbeats of the");
    System.out.println("victim, undisturbed and during round 2 (all ms); MB/s: first round; MiB: largest resident set of dumper and page-server\n");
    restores.forEach(System.out::println);
    for (Path used : List.of(directory, store)) {
      try (Workspace emptied = Workspace.at(used)) {
        Files.delete(emptied.directory());
      }
    }
  }

  private static void measure(Workspace workspace, Path store, int mebibytes, String mode, List<String> restores) throws IOException {
    PageServer server = PageServer.start(workspace, store);
    Victim victim = Victim.start(workspace, "counter", Integer.toString(mebibytes), "16", Integer.toString(MAPPINGS));
    Migration migration = new Migration(victim, server, "bench");
    long begin = unixNanos();
    Await.pauseMillis(2000);
    double gapBefore = gapMillis(victim, begin, unixNanos());
    Path firstStats = workspace.directory().resolve("first.json");
    Path secondStats = workspace.directory().resolve("second.json");
    Finished first = migration.preDump(mode, 1, "--stats", firstStats.toString());
    begin = unixNanos();
    Finished second = migration.preDump(mode, 1, "--stats", secondStats.toString());
    double gapDuring = gapMillis(victim, begin, unixNanos());
    RoundFigures firstRound = RoundFigures.read(firstStats).get(0);
    RoundFigures secondRound = RoundFigures.read(secondStats).get(0);
    System.out.printf(
        FORMAT,
        mebibytes,
        mode,
        millis(firstRound.frozenMicros() / 1e3),
        millis(secondRound.frozenMicros() / 1e3),
        millis(gapBefore),
        millis(gapDuring),
        Math.round(firstRound.sentBytes() / (double) Math.max(1, firstRound.roundMicros())),
        Math.max(first.peakResidentKibibytes(), second.peakResidentKibibytes()) / 1024,
        ProcessFacts.peakResidentKibibytes(server.process().pid()) / 1024);
    if (mode.equals("read")) {
      restores.add(restore(workspace, mebibytes, server, victim, migration));
    }
  }

  private static String restore(Workspace workspace, int mebibytes, PageServer server, Victim victim, Migration migration) throws IOException {
    migration.dump();
    Finished plain = fill(workspace, server.store());
    Finished restore = migration.restoreFromStore();
    long lines = CountLog.read(victim.directory()).lineCount();
    Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > lines);
    CountLog log = CountLog.read(victim.directory());
    double plainMillis = Long.parseLong(plain.out().trim().split(" ", -1)[1]) / 1e6;
    return String.format(
        Locale.ROOT,
        "restore of %d MiB from a warm store: %.0f ms in all; a C program reads the same bytes into fresh memory in %.0f ms: %.2f times; "
            + "downtime with the starts of both commands %.0f ms%s",
        mebibytes, restore.elapsedNanos() / 1e6, plainMillis, restore.elapsedNanos() / 1e6 / plainMillis, log.longestGapNanos() / 1e6,
        log.breaks().isEmpty() ? "" : "; BROKEN: " + log.breaks());
  }

  private static Finished fill(Workspace workspace, Path store) throws IOException {
    List<String> command = new ArrayList<>(List.of(Home.root().resolve("target/fill").toString()));
    try (Stream<Path> files = Files.walk(store)) {
      files.filter(file -> file.toFile().length() > 1 << 20).sorted().forEach(file -> command.add(file.toString()));
    }
    return workspace.start(command).await(Duration.ofMinutes(2)).mustSucceed();
  }

  private static double gapMillis(Victim victim, long fromUnixNanos, long toUnixNanos) {
    return CountLog.read(victim.directory(), fromUnixNanos, toUnixNanos).longestGapNanos() / 1e6;
  }

  private static long unixNanos() {
    java.time.Instant now = java.time.Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  private static String millis(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  private static String kernel() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/osrelease")).trim();
  }
}
