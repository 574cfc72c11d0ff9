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

/** {@code page-server verify --store DIR}: reads back everything that committed rounds hold. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = "Reads back everything that committed rounds hold and names what is damaged; exits with 5 then.")
final class VerifyCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--store", paramLabel = "DIR", required = true, description = "Directory of the page store.")
  Path store = Path.of("");

  @Override
  public Integer call() {
    PrintWriter out = Output.of(spec);
    StoreVerifier.Result result = StoreVerifier.verify(store);
    result.damages().forEach(System.err::println);
    out.printf(
        "%d migrations, %d rounds, %d stored pages read back: %s%n",
        result.migrations(),
        result.rounds(),
        result.pages(),
        result.damageCount() == 0 ? "all as they were written" : result.damageCount() + " damaged");
    out.flush();
    return result.damageCount() == 0 ? 0 : ErrorCategory.CORRUPT.exitCode();
  }
}
