package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.stats.StatsFile;
import io.pagelift.linux.ProcTree;
import java.time.Duration;

/** The command pre-dump: rounds over a tree that keeps running. */
public final class PreDump {
  /** How pages get out of the tree. */
  public enum Mode {
    /** Read while the tree runs. */
    READ,
    /** Gifted into pipes while it is frozen. */
    SPLICE
  }

  private final DumpOptions options;
  private final Messages messages;

  /** A pre-dump. */
  public PreDump(DumpOptions options, Messages messages) {
    this.options = options;
    this.messages = messages;
  }

  /**
   * Runs rounds.
   *
   * @param mode how pages are read
   * @param rounds how many
   * @param interval how long to wait between the end of one and the start of the next
   * @throws PageliftException in every foreseen failure; the tree runs on
   */
  public void run(Mode mode, int rounds, Duration interval) {
    StatsFile stats = options.stats("pre-dump");
    stats.check();
    try (Rounds all = Rounds.open(options, stats, messages)) {
      long startTime = ProcTree.startTimeTicks(options.pid());
      for (int i = 0; i < rounds; i++) {
        if (i > 0) {
          pause(interval);
          if (!ProcTree.exists(options.pid(), startTime)) {
            throw new PageliftException(
                ErrorCategory.REFUSED,
                "Process " + options.pid() + " exited after round " + i + " of " + rounds + "; there is nothing left to dump.");
          }
        }
        if (mode == Mode.SPLICE) {
          all.splice();
        } else {
          all.live();
        }
      }
    }
  }

  private static void pause(Duration interval) {
    try {
      Thread.sleep(interval.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted between two rounds; the tree runs on.", e);
    }
  }
}
