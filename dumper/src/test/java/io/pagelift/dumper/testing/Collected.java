package io.pagelift.dumper.testing;

import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.dumper.tree.ObjectSource;
import io.pagelift.dumper.tree.RawTree;
import io.pagelift.dumper.tree.TreeCollector;
import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.TreeImage;
import java.time.Duration;
import java.util.List;

/** Freezes a victim, collects its state, lets it go. */
public record Collected(TreeImage image, List<ObjectSource> sources, long frozenMicros) {
  /** Collects a tree with the shell-job option or without. */
  public static Collected from(int pid, boolean shellJob) {
    TracerThread tracer = TracerThread.start();
    TreeCollector collector = new TreeCollector(CollectOptions.plain("test").withShellJob(shellJob));
    try (FrozenTree tree = FrozenTree.freezeForDump(tracer, pid, Duration.ofSeconds(60))) {
      RawTree raw = collector.collectFrozen(tree, new CountingIds());
      TreeImage image = collector.build(raw);
      tree.thaw();
      return new Collected(image, raw.sources(), (System.nanoTime() - tree.times().beganNanos()) / 1000);
    } finally {
      tracer.close();
    }
  }

  /** Collects a tree that is a session of its own. */
  public static Collected from(Victim victim) {
    return from(victim.pid(), false);
  }

  /** The root. */
  public ProcessImage root() {
    return image.getProcesses(0);
  }

  /** The open file under a number of a process. */
  public OpenFile file(ProcessImage process, int fd) {
    int id =
        process.getDescriptorsList().stream().filter(found -> found.getFd() == fd).findFirst().orElseThrow().getOpenFileId();
    return image.getOpenFilesList().stream().filter(file -> file.getId() == id).findFirst().orElseThrow();
  }

  /** The open file under a number of the root. */
  public OpenFile file(int fd) {
    return file(root(), fd);
  }
}
