package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.pageserver.store.StoreVerifier;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code page-server verify --store DIR [--read-data]}: checks everything that committed rounds hold. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Checks all manifests, images and index entries, and with --read-data every page that a round refers to.",
      "Names what is damaged and whose it is; exits with 5 then. May run beside the server."
    })
final class VerifyCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Option(names = "--read-data", description = "Read back every page too, not only what describes it.")
  boolean readData;

  @Override
  public Integer call() {
    PrintWriter out = Output.of(spec);
    StoreVerifier.Result result = StoreVerifier.verify(store, readData);
    result.damages().forEach(System.err::println);
    out.printf(
        "%d migrations, %d rounds, %d stored pages %s: %s%n",
        result.migrations(),
        result.rounds(),
        result.pages(),
        readData ? "read back" : "looked up, not read (--read-data reads them)",
        result.damageCount() == 0 ? "all as they were written" : result.damageCount() + " damaged");
    out.flush();
    return result.damageCount() == 0 ? 0 : ErrorCategory.CORRUPT.exitCode();
  }
}
