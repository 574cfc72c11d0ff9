package io.pagelift.dumper.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.round.DumpOptions;
import io.pagelift.dumper.round.PreDump;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dumper pre-dump}. */
@Command(
    name = "pre-dump",
    mixinStandardHelpOptions = true,
    description = "Sends the memory of a tree while it runs. Run it again, or with --rounds, to send what was written since.")
final class PreDumpCommand implements Callable<Integer> {
  @Mixin TargetOptions target = new TargetOptions();

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      defaultValue = "read",
      description = "read: pages are read while the tree runs; splice: they are gifted into pipes while it is frozen (default: ${DEFAULT-VALUE}).")
  String mode = "read";

  @Option(names = "--rounds", paramLabel = "N", defaultValue = "1", description = "Number of rounds (default: ${DEFAULT-VALUE}).")
  int rounds = 1;

  @Option(
      names = "--interval",
      paramLabel = "MS",
      defaultValue = "200",
      description = "Milliseconds between two rounds (default: ${DEFAULT-VALUE}).")
  int intervalMillis = 200;

  @Override
  public Integer call() {
    if (rounds < 1 || rounds > 1_000_000 || intervalMillis < 0) {
      throw new PageliftException(ErrorCategory.USAGE, "--rounds is 1 to 1000000 and --interval 0 or more.");
    }
    PreDump.Mode checkedMode = mode();
    DumpOptions options = target.checked();
    PreDump preDump = new PreDump(options, System.out::println);
    preDump.run(checkedMode, rounds, Duration.ofMillis(intervalMillis));
    return 0;
  }

  private PreDump.Mode mode() {
    return switch (mode) {
      case "read" -> PreDump.Mode.READ;
      case "splice" -> PreDump.Mode.SPLICE;
      default ->
          throw new PageliftException(ErrorCategory.USAGE, "There is no mode '" + mode + "'; choose read or splice.");
    };
  }
}
