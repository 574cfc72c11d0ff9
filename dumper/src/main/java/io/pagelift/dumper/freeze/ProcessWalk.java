package io.pagelift.dumper.freeze;

import io.pagelift.dumper.facts.RawReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.StringTokenizer;

/** Who belongs to a tree, as {@code /proc} tells at this moment. */
public final class ProcessWalk {
  private ProcessWalk() {}

  /** The root and all descendants that can be seen now, parents before children. A running tree may be another one by now. */
  public static List<Integer> pids(RawReader reader, int rootPid) {
    List<Integer> walk = new ArrayList<>(List.of(rootPid));
    Set<Integer> seen = new LinkedHashSet<>(walk);
    for (int i = 0; i < walk.size(); i++) {
      for (int child : children(reader, walk.get(i))) {
        if (seen.add(child)) {
          walk.add(child);
        }
      }
    }
    return walk;
  }

  /** The children of all threads of a process. */
  static List<Integer> children(RawReader reader, int pid) {
    List<Integer> children = new ArrayList<>();
    for (int tid : reader.numbers("/proc/" + pid + "/task")) {
      StringTokenizer words = new StringTokenizer(reader.text("/proc/" + pid + "/task/" + tid + "/children"));
      while (words.hasMoreTokens()) {
        children.add(Integer.parseInt(words.nextToken()));
      }
    }
    return children;
  }

  static char state(String status) {
    int at = status.indexOf("\nState:\t");
    return at < 0 ? 'X' : status.charAt(at + 8);
  }

  static int tracerPid(String status) {
    int at = status.indexOf("\nTracerPid:\t");
    return at < 0 ? 0 : Integer.parseInt(status.substring(at + 12, status.indexOf('\n', at + 12)));
  }
}
