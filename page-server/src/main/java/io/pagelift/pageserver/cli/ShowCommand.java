package io.pagelift.pageserver.cli;

import io.pagelift.pageserver.store.MigrationListing;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code page-server show NAME --store DIR}: the rounds of a migration and the objects alive at its end. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = "Shows the rounds and objects of a migration; never page contents.")
final class ShowCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "Name of the migration.")
  String name = "";

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Override
  public Integer call() {
    PrintWriter out = Output.of(spec);
    MigrationListing listing = MigrationListing.of(store, name);
    out.print(json ? listing.json() : listing.table());
    out.flush();
    return 0;
  }
}
