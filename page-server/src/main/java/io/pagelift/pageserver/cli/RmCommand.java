package io.pagelift.pageserver.cli;

import io.pagelift.pageserver.store.StoreAdmin;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code page-server rm NAME --store DIR}: removes a migration. */
@Command(
    name = "rm",
    mixinStandardHelpOptions = true,
    description = {
      "Removes a migration for good, also from a server that runs; refused while a dumper or restorer has it open.",
      "The space of its pages comes back with 'page-server gc'."
    })
final class RmCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "Name of the migration.")
  String name = "";

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Option(
      names = "--force",
      description = "Also when its handover is not over, or its manifests are damaged. Look first on which side the tree runs.")
  boolean force;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Override
  public Integer call() {
    StoreAdmin.of(store).remove(name, force);
    PrintWriter out = Output.of(spec);
    out.print(json ? "{\n  \"removed\": \"" + name + "\"\n}\n" : "removed " + name + "; 'page-server gc' gives its space back\n");
    out.flush();
    return 0;
  }
}
