package io.pagelift.tests.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * What one run measured. Times in milliseconds, memory in MiB.
 *
 * @param frozenFirst how long the tree stood still in the first round
 * @param frozenLater the same in the later rounds, the longest of them
 * @param gapBefore longest time between two heartbeats of the undisturbed victim
 * @param gapLater the same during the later rounds
 * @param workFirst the victim's work per second during the command of the first round, in percent of undisturbed
 * @param workLater the same for the later rounds
 * @param megabytesPerSecond of the first round, from its beginning to its acknowledged commit; 10^6 bytes
 * @param commandFirst the whole command of the first round, with the start of the JVM
 * @param processorFirst processor time of the dumper, from the start of its JVM, and of the page-server in the first round, kernel
 *     included: what else the machine does hardly changes it
 * @param dumperMebibytes largest resident set of the dumper
 * @param serverMebibytes largest resident set of the page-server
 * @param restore the whole command that restores from the warm store; 0 when not measured
 * @param plain what a C program takes to read the same bytes into fresh memory
 * @param downtime longest time between two heartbeats over the dump and the restore, with the starts of both commands
 */
record Figures(
    double frozenFirst,
    double frozenLater,
    double gapBefore,
    double gapLater,
    double workFirst,
    double workLater,
    double megabytesPerSecond,
    double commandFirst,
    double processorFirst,
    double dumperMebibytes,
    double serverMebibytes,
    double restore,
    double plain,
    double downtime) {

  static final String HEADER =
      String.format(
          Locale.ROOT, "%5s %-6s %9s %9s %9s %9s %7s %7s %6s %9s %7s %11s %11s", "MiB", "mode", "frozen 1", "frozen n", "gap", "gap n",
          "work 1", "work n", "MB/s", "command 1", "CPU 1", "dumper MiB", "server MiB");

  /** The median of one figure over some runs. */
  static double median(List<Figures> runs, ToDoubleFunction<Figures> figure) {
    double[] sorted = runs.stream().mapToDouble(figure).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** The medians of pre-dump as a line under {@link #HEADER}. */
  static String tableLine(int mebibytes, String mode, List<Figures> runs) {
    return String.format(
        Locale.ROOT,
        "%5d %-6s %9.2f %9.2f %9.1f %9.1f %6.0f%% %6.0f%% %6.0f %9.0f %7.0f %11.0f %11.0f",
        mebibytes,
        mode,
        median(runs, Figures::frozenFirst),
        median(runs, Figures::frozenLater),
        median(runs, Figures::gapBefore),
        median(runs, Figures::gapLater),
        median(runs, Figures::workFirst),
        median(runs, Figures::workLater),
        median(runs, Figures::megabytesPerSecond),
        median(runs, Figures::commandFirst),
        median(runs, Figures::processorFirst),
        median(runs, Figures::dumperMebibytes),
        median(runs, Figures::serverMebibytes));
  }

  /** The medians of restore; the ratio is the median of the runs' own ratios, because each run measured both beside each other. */
  static String restoreLine(int mebibytes, List<Figures> runs) {
    return String.format(
        Locale.ROOT,
        "restore of %d MiB from a warm store: %.0f ms in all; a C program reads the same bytes into fresh memory in %.0f ms: "
            + "%.2f times (%s); downtime with the starts of both commands %.0f ms",
        mebibytes,
        median(runs, Figures::restore),
        median(runs, Figures::plain),
        median(runs, Figures::ratio),
        String.join(", ", runs.stream().map(run -> String.format(Locale.ROOT, "%.2f", run.ratio())).toList()),
        median(runs, Figures::downtime));
  }

  private double ratio() {
    return restore / plain;
  }
}
