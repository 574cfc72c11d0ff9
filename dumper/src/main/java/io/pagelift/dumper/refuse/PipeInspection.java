package io.pagelift.dumper.refuse;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.KernelException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Finds pipes that a process outside of the tree holds as well. The only way to know is to look at everybody's descriptors,
 * which takes too long for a freeze.
 */
final class PipeInspection {
  private PipeInspection() {}

  static void inspect(RawReader reader, Collection<ProcessFacts> processes, RefusalSink sink) {
    Map<String, DescriptorFacts> pipes = new HashMap<>();
    Set<Integer> pids = new HashSet<>();
    for (ProcessFacts process : processes) {
      pids.add(process.pid());
      for (DescriptorFacts descriptor : process.descriptors()) {
        if (descriptor.link().startsWith("pipe:[")) {
          pipes.putIfAbsent(descriptor.link(), descriptor);
        }
      }
    }
    if (pipes.isEmpty()) {
      return;
    }
    for (int pid : reader.numbers("/proc")) {
      if (!pids.contains(pid)) {
        inspectOutsider(reader, pid, pipes, sink);
      }
    }
  }

  private static void inspectOutsider(
      RawReader reader, int pid, Map<String, DescriptorFacts> pipes, RefusalSink sink) {
    try {
      for (int fd : reader.numbers("/proc/" + pid + "/fd")) {
        String link = reader.link("/proc/" + pid + "/fd/" + fd);
        DescriptorFacts inside = link == null ? null : pipes.remove(link);
        if (inside != null) {
          sink.refuse(
              inside.pid(),
              inside.object(),
              "process " + pid + ", outside of the tree, holds the pipe too",
              "dump the tree that has both, or redirect to a file");
        }
      }
    } catch (KernelException e) {
      // EACCES: a process that we may not look at, so not one of a tree that we may dump.
    }
  }
}
