package io.pagelift.dumper.cli;

import io.pagelift.common.SoftwareVersion;
import io.pagelift.common.Verbosity;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code dumper}: the root of its commands. */
@Command(
    name = "dumper",
    mixinStandardHelpOptions = true,
    versionProvider = SoftwareVersion.class,
    subcommands = {PreDumpCommand.class, DumpCommand.class, MigrateCommand.class, CheckCommand.class, GuardCommand.class},
    description = "Reads the memory and the state of a running process tree and sends them to a page-server.",
    footer = {
      "",
      "Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 refused, 4 remote end or network, 5 damaged data, 6 out of space or time."
    })
final class DumperCommand implements Runnable {
  @Spec @Nullable CommandSpec spec;
  @Mixin Verbosity verbosity = new Verbosity();

  @Override
  public void run() {
    CommandSpec own = spec;
    if (own == null) {
      throw new IllegalStateException("not run by picocli");
    }
    CommandLine line = own.commandLine();
    throw new ParameterException(line, "Missing command: pre-dump, dump, migrate or check");
  }
}
