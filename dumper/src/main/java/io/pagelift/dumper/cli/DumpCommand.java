package io.pagelift.dumper.cli;

import io.pagelift.dumper.round.Dump;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dumper dump}. */
@Command(
    name = "dump",
    mixinStandardHelpOptions = true,
    description = "Freezes a tree, sends its state and the pages that the page-server does not have yet, and ends the tree.")
final class DumpCommand implements Callable<Integer> {
  @Mixin TargetOptions target = new TargetOptions();
  @Mixin CarryOptions carry = new CarryOptions();

  @Option(names = "--leave-running", description = "Let the tree go on afterwards instead of ending it.")
  boolean leaveRunning;

  @Override
  public Integer call() {
    new Dump(target.checked(), System.out::println).run(carry.checked(), leaveRunning);
    return 0;
  }
}
