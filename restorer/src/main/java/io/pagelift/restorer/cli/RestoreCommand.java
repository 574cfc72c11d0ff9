package io.pagelift.restorer.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.restorer.plan.ControlGroupMode;
import io.pagelift.restorer.process.Restore;
import io.pagelift.restorer.process.RootWait;
import io.pagelift.restorer.source.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code restorer restore}. */
@Command(
    name = "restore",
    mixinStandardHelpOptions = true,
    description = "Rebuilds the tree and lets it run. Stays as its parent and exits with the status of its root (128 + signal if"
        + " that was killed).")
final class RestoreCommand implements Callable<Integer> {
  @Mixin private SourceOptions source = new SourceOptions();

  @Option(names = "--detached", description = "Exit with 0 once the tree runs.")
  private boolean detached;

  @Option(names = "--pidfile", paramLabel = "FILE", description = "Write the root's process id here before it runs.")
  private @Nullable Path pidFile;

  @Option(
      names = "--cgroups",
      paramLabel = "MODE",
      description =
          "Control groups that the tree was in and the dumper was not: strict puts it there and refuses if one is missing, soft"
              + " leaves out what is missing, ignore leaves all in the restorer's (default: strict).")
  private ControlGroupMode controlGroups = ControlGroupMode.STRICT;

  @Override
  public Integer call() {
    int root;
    try (ImageSource image = source.open();
        Restore restore = Restore.plan(image, controlGroups)) {
      root = restore.image().getRootPid();
      restore.warnings().forEach(System.err::println);
      restore.build();
      writePidFile(root);
      if (!detached) {
        RootWait.forwardSignals(root);
      }
      restore.run();
    }
    return detached ? 0 : RootWait.exitCode(root);
  }

  private void writePidFile(int root) {
    Path file = pidFile;
    if (file != null) {
      try {
        Files.writeString(file, root + "\n");
      } catch (IOException e) {
        throw new PageliftException(
            ErrorCategory.REFUSED, "The pid file " + file + " can't be written (" + e.getMessage() + "); nothing was left running.", e);
      }
    }
  }
}
