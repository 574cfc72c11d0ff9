package io.pagelift.dumper.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.common.SoftwareVersion;
import io.pagelift.dumper.check.HostCheck;
import io.pagelift.dumper.round.DumpOptions;
import io.pagelift.dumper.round.TrackerKind;
import io.pagelift.wire.cli.ConnectionOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that pre-dump and dump share. */
final class TargetOptions {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  @Option(
      names = {"-t", "--tree"},
      paramLabel = "PID",
      required = true,
      description = "Root of the process tree.")
  int pid;

  @Option(names = "--to", paramLabel = "HOST:PORT", required = true, description = "The page-server.")
  String server = "";

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the migration at the page-server (default: tree-PID).")
  @Nullable String name;

  @Option(
      names = "--track",
      paramLabel = "TRACKER",
      description = "Dirty tracker: uffd-wp, soft-dirty or compare; the best that works here if left out.")
  @Nullable String tracker;

  @Option(names = "--stats", paramLabel = "FILE", description = "Write the figures of each round to this file, as JSON.")
  @Nullable Path stats;

  @Mixin ConnectionOptions connection = new ConnectionOptions();

  /** Checks and converts. */
  DumpOptions checked() {
    if (pid <= 0) {
      throw usage("A pid is a number from 1 on, not " + pid + ".");
    }
    String migration = name == null ? "tree-" + pid : name;
    if (!NAME.matcher(migration).matches()) {
      throw usage("The name of a migration has letters, digits, dots, underscores and dashes, at most 128, and begins with a letter or digit.");
    }
    Optional<TrackerKind> kind = Optional.ofNullable(tracker).map(TargetOptions::kind);
    HostPort to = HostPort.parse(server);
    return new DumpOptions(pid, to, migration, kind, stats, connection.to(to, SoftwareVersion.of("dumper")), HostCheck.require());
  }

  private static TrackerKind kind(String text) {
    return Arrays.stream(TrackerKind.values())
        .filter(kind -> kind.text().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                usage(
                    "There is no tracker '" + text + "'; choose one of "
                        + Arrays.stream(TrackerKind.values()).map(TrackerKind::text).collect(Collectors.joining(", ")) + "."));
  }

  private static PageliftException usage(String message) {
    return new PageliftException(ErrorCategory.USAGE, message);
  }
}
