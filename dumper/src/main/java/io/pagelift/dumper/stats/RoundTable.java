package io.pagelift.dumper.stats;

import java.util.Locale;

/** The columns of the per-round table. */
public final class RoundTable {
  static final String FORMAT = "%8s  %-10s %9s %9s %9s %9s %8s %8s %8s %9s %9s %6s";

  /** The line above the rounds. */
  public static final String HEADER =
      String.format(
          Locale.ROOT, FORMAT, "round", "tracker", "frozen ms", "scanned", "sent", "skipped", "zero", "dropped", "dedup",
          "MiB", "ms", "MiB/s");

  private RoundTable() {}
}
