package io.pagelift.dumper.cli;

import io.pagelift.dumper.round.DumpOptions;
import io.pagelift.dumper.round.Migrate;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code dumper migrate}. */
@Command(
    name = "migrate",
    mixinStandardHelpOptions = true,
    description = "Sends a tree's memory while it runs until little is left, then hands the tree over to the restorer that follows at the"
        + " destination ('restorer restore --follow'). Exactly one copy lives, whatever fails.")
final class MigrateCommand implements Callable<Integer> {
  @Mixin MigrateOptions options = new MigrateOptions();

  @Override
  public Integer call() {
    DumpOptions target = options.target.checked();
    new Migrate(target, options.limits(), System.out::println).run(options.carry.checked(), options.guardLog);
    return 0;
  }
}
