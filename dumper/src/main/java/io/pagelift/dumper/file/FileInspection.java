package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.tree.CollectOptions;
import java.util.Set;

/**
 * What a look for obstacles is made with.
 *
 * @param reader reads {@code /proc}
 * @param options what the caller allows
 * @param pids all processes of the tree, zombies too
 * @param frozen whether the tree is frozen
 * @param sink takes what cannot be carried over
 */
public record FileInspection(RawReader reader, CollectOptions options, Set<Integer> pids, boolean frozen, RefusalSink sink) {
  void refuse(DescriptorFacts facts, String reason, String remedy) {
    sink.refuse(facts.pid(), facts.object(), reason, remedy);
  }

  /** Whether this is the id of a process or thread of the tree. */
  boolean inTree(int id) {
    return pids.contains(id) || pids.stream().anyMatch(pid -> reader.file("/proc/" + pid + "/task/" + id + "/comm") != null);
  }
}
