package io.pagelift.dumper.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.round.Migrate;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of migrate, which its guard gets too, word for word. */
final class MigrateOptions {
  @Mixin TargetOptions target = new TargetOptions();
  @Mixin CarryOptions carry = new CarryOptions();

  @Option(
      names = "--max-downtime",
      paramLabel = "MS",
      defaultValue = "300",
      description = "Freeze when the predicted downtime is below this many milliseconds (default: ${DEFAULT-VALUE}).")
  int maxDowntimeMillis;

  @Option(
      names = "--max-rounds",
      paramLabel = "N",
      defaultValue = "10",
      description = "Freeze after this many rounds in any case (default: ${DEFAULT-VALUE}).")
  int maxRounds;

  @Option(
      names = "--handover-timeout",
      paramLabel = "SECONDS",
      defaultValue = "120",
      description = "Let the tree go on here when its copy is not ready by then (default: ${DEFAULT-VALUE}).")
  int handoverSeconds;

  @Option(
      names = "--guard-log",
      paramLabel = "FILE",
      defaultValue = "/var/log/pagelift-guard.log",
      description = "What the guard process did after this program was lost goes here (default: ${DEFAULT-VALUE}).")
  Path guardLog = Path.of("/var/log/pagelift-guard.log");

  /** Checks and converts. */
  Migrate.Limits limits() {
    atLeastOne("--max-downtime", maxDowntimeMillis);
    atLeastOne("--max-rounds", maxRounds);
    return new Migrate.Limits(Duration.ofMillis(maxDowntimeMillis), maxRounds, handoverBound());
  }

  /** How long the destination may take. */
  Duration handoverBound() {
    atLeastOne("--handover-timeout", handoverSeconds);
    return Duration.ofSeconds(handoverSeconds);
  }

  private static void atLeastOne(String option, int value) {
    if (value < 1) {
      throw new PageliftException(ErrorCategory.USAGE, option + " is a number from 1 on, not " + value + ".");
    }
  }
}
