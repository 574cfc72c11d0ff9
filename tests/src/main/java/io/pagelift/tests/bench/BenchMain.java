package io.pagelift.tests.bench;

import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prints one table: for each size of a victim and each mode, what pre-dump rounds and a restore cost, as medians of several runs.
 * Both modes are run in turn, so that what else the machine does hits both. Pages do not repeat; the store is on tmpfs, both ends
 * share the machine.
 */
public final class BenchMain {
  private static final List<String> MODES = List.of("read", "splice");
  private static final int RUNS = 3;

  private BenchMain() {}

  /** Runs the benchmark; the arguments are {@code --runs=N} and sizes in MiB, 3 runs of 64, 1024 and 4096 when absent. */
  public static void main(String[] arguments) throws IOException {
    int runs = RUNS;
    List<Integer> sizes = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.startsWith("--runs=")) {
        runs = Integer.parseInt(argument.substring("--runs=".length()));
      } else {
        sizes.add(Integer.valueOf(argument));
      }
    }
    if (sizes.isEmpty()) {
      sizes.addAll(List.of(64, 1024, 4096));
    }
    Path directory = Files.createTempDirectory(Path.of("/var/tmp"), "pagelift-bench-");
    Path store = Files.createTempDirectory(Path.of("/dev/shm"), "pagelift-bench-");
    System.out.printf(
        "kernel %s, %d processors; victim with %d and more mappings that writes %d pages in each ms; medians of %d runs%n%n%s%n",
        kernel(), Runtime.getRuntime().availableProcessors(), BenchRun.MAPPINGS, BenchRun.PAGES_PER_TICK, runs, Figures.HEADER);
    List<String> restores = new ArrayList<>();
    try {
      for (int size : sizes) {
        Map<String, List<Figures>> figures = measure(directory, store, size, runs);
        figures.forEach((mode, measured) -> System.out.println(Figures.tableLine(size, mode, measured)));
        restores.add(Figures.restoreLine(size, figures.getOrDefault("read", List.of())));
      }
    } finally {
      for (Path used : List.of(directory, store)) {
        try (Workspace emptied = Workspace.at(used)) {
          Files.delete(emptied.directory());
        }
      }
    }
    explain();
    restores.forEach(System.out::println);
  }

  private static Map<String, List<Figures>> measure(Path directory, Path store, int mebibytes, int runs) throws IOException {
    Map<String, List<Figures>> figures = new LinkedHashMap<>();
    for (int run = 0; run < runs; run++) {
      for (String mode : MODES) {
        try (Workspace workspace = Workspace.at(directory);
            Workspace fresh = Workspace.at(store)) {
          figures.computeIfAbsent(mode, key -> new ArrayList<>()).add(BenchRun.run(workspace, fresh.directory(), mebibytes, mode));
        }
      }
    }
    return figures;
  }

  private static void explain() {
    System.out.println(
        """

        frozen 1, n: how long the tree stood still in the first and in the longest of three later pre-dump rounds; gap: longest time
        between two 1 ms heartbeats of the victim, undisturbed and during the later rounds; work: what the victim got done during the
        first and the later rounds, undisturbed is 100 %; MB/s: first round with its commit; command 1: first round with the start of
        the JVM; CPU 1: processor time of both ends in it, kernel and start of the dumper's JVM included; times in ms; MiB: largest resident sets
        """);
  }

  private static String kernel() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/osrelease")).trim();
  }
}
