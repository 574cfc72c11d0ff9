package io.pagelift.restorer.cli;

import io.pagelift.restorer.source.ImageSource;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import org.jspecify.annotations.Nullable;

/** {@code restorer show}. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = "Prints what an image holds: processes, threads, mappings, files. Never contents.")
final class ShowCommand implements Runnable {
  @Mixin private SourceOptions source = new SourceOptions();

  @Option(names = "--json", description = "Print it as JSON.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    try (ImageSource image = source.open()) {
      ImageListing listing = new ImageListing(image);
      CommandSpec command = spec;
      if (command != null) {
        PrintWriter out = command.commandLine().getOut();
        out.print(json ? listing.json() : listing.table());
        out.flush();
      }
    }
  }
}
