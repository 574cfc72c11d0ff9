package io.pagelift.restorer.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The restorer: rebuilds a process tree from an image. */
@Command(
    name = "restorer",
    mixinStandardHelpOptions = true,
    version = "restorer 0.1.0",
    description = "Rebuilds a process tree from a page-server or its store.",
    synopsisSubcommandLabel = "COMMAND")
public final class RestorerMain {
  private RestorerMain() {}

  /** Runs a command and exits with its code. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new RestorerMain()).execute(arguments));
  }
}
