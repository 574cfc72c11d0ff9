package io.pagelift.dumper.cli;

import io.pagelift.dumper.guard.GuardLoop;
import io.pagelift.dumper.round.DumpOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code dumper guard}: started by migrate with its own options, not by people. */
@Command(name = "guard", hidden = true, description = "Answers for a frozen tree when the dumper that froze it is gone.")
final class GuardCommand implements Callable<Integer> {
  @Mixin MigrateOptions options = new MigrateOptions();

  @Override
  public Integer call() throws IOException {
    DumpOptions target = options.target.checked();
    GuardLoop loop =
        new GuardLoop(target.server(), target.migration(), options.handoverBound(), target.connection(), System.err);
    loop.run(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII)), System.out);
    return 0;
  }
}
