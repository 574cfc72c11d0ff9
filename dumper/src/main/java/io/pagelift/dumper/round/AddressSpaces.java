package io.pagelift.dumper.round;

import io.pagelift.linux.Kcmp;
import io.pagelift.linux.KernelException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Tells which processes share an address space. */
final class AddressSpaces {
  private AddressSpaces() {}

  /**
   * For each process the one that stands for its address space: one of {@code preferred} where there is one, otherwise the first.
   *
   * @param pids living processes, parents first; one that goes meanwhile is left out
   */
  static Map<Integer, Integer> groups(List<Integer> pids, Set<Integer> preferred) {
    // kcmp(2) orders address spaces as well as it tells them apart, so that sorting finds equal ones in n log n calls.
    TreeMap<Integer, Integer> representatives = new TreeMap<>((a, b) -> Kcmp.compare(a, b, Kcmp.Type.VM, 0, 0));
    Map<Integer, Integer> keys = new LinkedHashMap<>();
    for (int pid : pids) {
      try {
        Integer key = representatives.ceilingKey(pid);
        if (key == null || Kcmp.compare(key, pid, Kcmp.Type.VM, 0, 0) != 0) {
          key = pid;
          representatives.put(pid, pid);
        } else if (preferred.contains(pid) && !preferred.contains(representatives.get(key))) {
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
    keys.forEach((pid, key) -> groups.put(pid, representatives.get(key)));
    return groups;
  }

  /** Every process for itself: what is shared is then sent twice, which costs time and nothing else. */
  private static Map<Integer, Integer> alone(List<Integer> pids) {
    Map<Integer, Integer> groups = new LinkedHashMap<>();
    pids.forEach(pid -> groups.put(pid, pid));
    return groups;
  }
}
