package io.pagelift.dumper.round;

import io.pagelift.linux.Kcmp;
import io.pagelift.linux.KernelException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Tells which processes share an address space. */
final class AddressSpaces {
  private AddressSpaces() {}

  /**
   * For each process the one that stands for its address space: one of {@code preferred} where there is one, otherwise the first.
   *
   * @param pids living processes, parents first; one that goes meanwhile is left out
   */
  static Map<Integer, Integer> groups(List<Integer> pids, Set<Integer> preferred) {
    // kcmp(2) orders address spaces as well as it tells them apart, so that sorting finds equal ones in n log n calls. An exec
    // meanwhile can put one out of order; then a shared one is missed, and that costs time only.
    TreeSet<Integer> ordered = new TreeSet<>((a, b) -> Kcmp.compare(a, b, Kcmp.Type.VM, 0, 0));
    Map<Integer, Integer> representatives = new HashMap<>();
    Map<Integer, Integer> keys = new LinkedHashMap<>();
    for (int pid : pids) {
      try {
        Integer key = ordered.ceiling(pid);
        if (key == null || !Kcmp.same(key, pid, Kcmp.Type.VM)) {
          key = pid;
          ordered.add(pid);
          representatives.put(pid, pid);
        } else if (preferred.contains(pid) && !preferred.contains(representatives.getOrDefault(key, key))) {
          representatives.put(key, pid);
        }
        keys.put(pid, key);
      } catch (KernelException failure) {
        if (!failure.processGone()) {
          throw failure;
        }
        // Either of the two compared may be the one that went. Without an order nothing can be looked up any more.
        return alone(pids);
      }
    }
    Map<Integer, Integer> groups = new LinkedHashMap<>();
    keys.forEach((pid, key) -> groups.put(pid, representatives.getOrDefault(key, key)));
    return groups;
  }

  /** Every process for itself: what is shared is then sent twice, which costs time and nothing else. */
  private static Map<Integer, Integer> alone(List<Integer> pids) {
    Map<Integer, Integer> groups = new LinkedHashMap<>();
    pids.forEach(pid -> groups.put(pid, pid));
    return groups;
  }
}
