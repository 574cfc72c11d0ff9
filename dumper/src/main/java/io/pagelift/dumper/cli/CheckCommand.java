package io.pagelift.dumper.cli;

import io.pagelift.dumper.check.HostCheck;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dumper check}. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = "Tells what this kernel and this user can do, and with -t what stands against dumping a tree.")
final class CheckCommand implements Callable<Integer> {
  @Option(
      names = {"-t", "--tree"},
      paramLabel = "PID",
      description = "Root of a process tree to look at; it is not touched.")
  @Nullable Integer pid;

  @Mixin CarryOptions carry = new CarryOptions();

  @Override
  public Integer call() {
    return HostCheck.run(pid, carry.checked(), System.out::println).exitCode();
  }
}
