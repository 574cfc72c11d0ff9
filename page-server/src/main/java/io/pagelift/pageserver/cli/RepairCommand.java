package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.pageserver.store.StoreRepair;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code page-server repair --store DIR}: rebuilds what can be derived from the rest of the store. */
@Command(
    name = "repair",
    mixinStandardHelpOptions = true,
    description = {
      "Rebuilds what can be derived: the head of the store and of its indexes, and index entries whose page is provably whole.",
      "Changes no page. The page-server must be stopped. Exits with 5 when damage stays."
    })
final class RepairCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Override
  public Integer call() {
    PrintWriter out = Output.of(spec);
    StoreRepair.Result result = StoreRepair.run(store);
    result.repaired().forEach(out::println);
    result.remaining().forEach(System.err::println);
    out.printf("%d repaired, %d damages stay%n", result.repaired().size(), result.remainingCount());
    out.flush();
    return result.remainingCount() == 0 ? 0 : ErrorCategory.CORRUPT.exitCode();
  }
}
