package io.pagelift.restorer.cli;

import io.pagelift.common.SoftwareVersion;
import io.pagelift.common.Verbosity;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The command without a subcommand prints how to use it. */
@Command(
    name = "restorer",
    mixinStandardHelpOptions = true,
    versionProvider = SoftwareVersion.class,
    description = "Rebuilds a process tree from a page-server or its store.",
    subcommands = {RestoreCommand.class, ShowCommand.class},
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:internal error",
      "2:usage",
      "3:refused: something is missing or different here",
      "4:the page-server could not be reached or said no",
      "5:the image or a page is damaged",
      "6:out of memory, files, space or time"
    })
final class RestorerCommand {
  @Mixin Verbosity verbosity = new Verbosity();
}
