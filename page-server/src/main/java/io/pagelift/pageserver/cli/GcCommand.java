package io.pagelift.pageserver.cli;

import io.pagelift.pageserver.store.Reclaimed;
import io.pagelift.pageserver.store.StoreAdmin;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code page-server gc --store DIR}: gives space back. */
@Command(
    name = "gc",
    mixinStandardHelpOptions = true,
    description = {
      "Gives the space of superseded pages and of removed migrations back. A server that runs goes on serving and does the work itself;",
      "what is open is left alone."
    })
final class GcCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Override
  public Integer call() {
    PrintWriter out = Output.of(spec);
    Reclaimed reclaimed = StoreAdmin.of(store).reclaim();
    out.print(json ? reclaimed.json() : reclaimed.sentence());
    out.flush();
    return 0;
  }
}
