package io.pagelift.dumper.round;

import java.time.Duration;
import java.util.Locale;

/**
 * Whether another round while the tree runs is worth it.
 *
 * <p>Predicted downtime = what is fixed + pages that will be dirty at the freeze / measured rate. Dirty at the freeze is what the program
 * writes in a time as long as the last round took, at the rate at which it wrote before: {@code sent(i) * duration(i) / duration(i-1)}.
 * Another round makes that smaller as long as rounds get shorter. It is over when the prediction is low enough, when two rounds in a row
 * did not shrink it by a tenth, or when there were too many.
 */
final class Convergence {
  /** A freeze with its collection, the last commit, one exchange with the server each: measured on the machine of docs/benchmarks.md. */
  private static final Duration FIXED = Duration.ofMillis(120);

  private static final double LEAST_GAIN = 0.9;
  private static final int PATIENCE = 2;
  private static final int PAGE_BYTES = 4096;
  private static final double MILLIS_PER_NANO = 1e-6;

  private final Duration maxDowntime;
  private final int maxRounds;
  private int rounds;
  private int roundsWithoutGain;
  private double bytesPerNano;
  private long previousNanos;
  private double dirtyPages;
  private String stopReason = "";

  Convergence(Duration maxDowntime, int maxRounds) {
    this.maxDowntime = maxDowntime;
    this.maxRounds = maxRounds;
  }

  /** Takes the figures of a round and says whether another one should follow. */
  boolean another(long sentPages, long durationNanos) {
    rounds++;
    double rate = (double) sentPages * PAGE_BYTES / Math.max(1, durationNanos);
    // A round of a few pages measures the round trips, not the rate.
    bytesPerNano = Math.max(bytesPerNano, rate);
    double before = dirtyPages;
    dirtyPages = rounds == 1 ? sentPages : sentPages * (double) durationNanos / Math.max(1, previousNanos);
    previousNanos = durationNanos;
    roundsWithoutGain = rounds > 2 && dirtyPages > before * LEAST_GAIN ? roundsWithoutGain + 1 : 0;
    if (rounds > 1 && predictedMillis() <= maxDowntime.toMillis()) {
      stopReason = "the predicted downtime is below " + maxDowntime.toMillis() + " ms";
    } else if (roundsWithoutGain >= PATIENCE) {
      stopReason = "more rounds do not make it shorter";
    } else if (rounds >= maxRounds) {
      stopReason = maxRounds + " rounds were made";
    } else {
      return true;
    }
    return false;
  }

  /** The downtime that would follow if the tree were frozen now, in milliseconds, without what the rebuilding takes. */
  double predictedMillis() {
    return FIXED.toMillis() + (bytesPerNano == 0 ? 0 : dirtyPages * PAGE_BYTES / bytesPerNano * MILLIS_PER_NANO);
  }

  /** Why there is no other round, with the prediction. */
  String explanation() {
    return String.format(
        Locale.ROOT, "Freezing now: %s. Predicted: %.0f ms at this end, for about %.0f pages.", stopReason, predictedMillis(), dirtyPages);
  }
}
