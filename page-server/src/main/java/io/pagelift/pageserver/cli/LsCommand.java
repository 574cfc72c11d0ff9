package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.pageserver.store.StoreListing;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code page-server ls --store DIR}: the migrations of a store, whether or not a server uses it. */
@Command(name = "ls", mixinStandardHelpOptions = true, description = "Lists the migrations of a store.")
final class LsCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Override
  public Integer call() {
    PrintWriter out = Output.of(spec);
    StoreListing listing = StoreListing.of(store);
    out.print(json ? listing.json() : listing.table());
    out.flush();
    listing.damages().forEach(System.err::println);
    return listing.damages().isEmpty() ? 0 : ErrorCategory.CORRUPT.exitCode();
  }
}
