package io.pagelift.restorer.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.FaultPoint;
import io.pagelift.common.PageliftException;
import io.pagelift.image.TreeImage;
import io.pagelift.restorer.handover.Takeover;
import io.pagelift.restorer.plan.ControlGroupMode;
import io.pagelift.restorer.process.Restore;
import io.pagelift.restorer.process.RootWait;
import io.pagelift.restorer.source.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

  @Option(
      names = "--follow",
      description = "Wait for the migration (--from, --name) while its rounds still run, and take it over when its image is there.")
  private boolean follow;

  @Option(
      names = "--follow-timeout",
      paramLabel = "SECONDS",
      defaultValue = "86400",
      description = "Give up following after this time (default: ${DEFAULT-VALUE}).")
  private int followSeconds;

  @Option(
      names = "--handover-timeout",
      paramLabel = "SECONDS",
      defaultValue = "120",
      description = "How long a source that hands its tree over may take once the copy is ready (default: ${DEFAULT-VALUE}).")
  private int handoverSeconds;

  @Override
  public Integer call() {
    if (follow) {
      source.following().awaitImage(Duration.ofSeconds(followSeconds));
    }
    int root;
    try (ImageSource image = source.open()) {
      TreeImage tree = image.tree();
      root = tree.getRootPid();
      try (Takeover takeover = Takeover.of(image, tree, Duration.ofSeconds(handoverSeconds))) {
        restore(image, tree, takeover);
      }
    }
    return detached ? 0 : RootWait.exitCode(root);
  }

  private void restore(ImageSource image, TreeImage tree, Takeover takeover) {
    try (Restore restore = planned(image, tree, takeover)) {
      restore.warnings().forEach(System.err::println);
      build(restore, tree.getRootPid(), takeover);
      takeover.take();
      if (!detached) {
        RootWait.forwardSignals(tree.getRootPid());
      }
      restore.run();
    }
    FaultPoint.reach("restorer.running");
    takeover.released();
  }

  private Restore planned(ImageSource image, TreeImage tree, Takeover takeover) {
    try {
      return Restore.plan(image, tree, controlGroups);
    } catch (RuntimeException e) {
      takeover.failed(e);
      throw e;
    }
  }

  private void build(Restore restore, int root, Takeover takeover) {
    try {
      restore.build();
      writePidFile(root);
    } catch (RuntimeException e) {
      takeover.failed(e);
      throw e;
    }
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
