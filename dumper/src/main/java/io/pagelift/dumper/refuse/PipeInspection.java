package io.pagelift.dumper.refuse;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.PipeHolders;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.linux.Constants;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Finds pipes that a process outside of the tree holds as well. The only way to know is to look at everybody's descriptors,
 * which takes too long for a freeze.
 */
final class PipeInspection {
  private PipeInspection() {}

  static void inspect(RawReader reader, Collection<ProcessFacts> processes, RefusalSink sink) {
    Map<SharedKey, DescriptorFacts> pipes = new LinkedHashMap<>();
    Set<Integer> pids = new HashSet<>();
    for (ProcessFacts process : processes) {
      pids.add(process.pid());
      for (DescriptorFacts descriptor : process.descriptors()) {
        if (descriptor.stat().kind() == Constants.S_IFIFO) {
          pipes.putIfAbsent(descriptor.stat().key(), descriptor);
        }
      }
    }
    PipeHolders.outsiders(reader, pids, pipes.values())
        .forEach(
            (key, pid) -> {
              DescriptorFacts inside = pipes.get(key);
              sink.refuse(
                  inside.pid(),
                  inside.object(),
                  "process " + pid + ", outside of the tree, holds the pipe too",
                  "dump the tree that has both, or redirect to a file");
            });
  }
}
