package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.linux.Constants;
import io.pagelift.linux.KernelException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Who has pipes open: the only way to know is to look at everybody's descriptors, which takes too long for most freezes. */
public final class PipeHolders {
  private PipeHolders() {}

  /**
   * Pipes that a process outside of a tree holds as well.
   *
   * @param tree the processes of the tree
   * @param pipes descriptors of pipes and FIFOs of the tree
   * @return for each such pipe a process outside, by the pipe's device and inode
   */
  public static Map<SharedKey, Integer> outsiders(
      RawReader reader, Set<Integer> tree, Collection<DescriptorFacts> pipes) {
    Map<String, SharedKey> byLink = new HashMap<>();
    boolean named = false;
    for (DescriptorFacts pipe : pipes) {
      byLink.put(pipe.link(), pipe.stat().key());
      named |= pipe.link().startsWith("/");
    }
    Map<SharedKey, Integer> found = new HashMap<>();
    if (!byLink.isEmpty()) {
      for (int pid : reader.numbers("/proc")) {
        if (!tree.contains(pid)) {
          look(reader, pid, byLink, named, found);
        }
      }
    }
    return found;
  }

  private static void look(
      RawReader reader, int pid, Map<String, SharedKey> byLink, boolean named, Map<SharedKey, Integer> found) {
    try {
      for (int fd : reader.numbers("/proc/" + pid + "/fd")) {
        String place = "/proc/" + pid + "/fd/" + fd;
        String link = reader.link(place);
        if (link == null) {
          continue;
        }
        SharedKey key = byLink.get(link);
        if (link.startsWith("/")) {
          // A FIFO may be known there by another name, and the name may be another file's.
          FileStat stat = named ? reader.stat(place) : null;
          boolean candidate = stat != null && stat.kind() == Constants.S_IFIFO && byLink.containsValue(stat.key());
          key = candidate ? stat.key() : null;
        }
        if (key != null) {
          found.putIfAbsent(key, pid);
        }
      }
    } catch (KernelException e) {
      // EACCES: a process that we may not look at, so not one of a tree that we may dump.
    }
  }
}
