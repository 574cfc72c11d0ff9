package io.pagelift.dumper.freeze;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ptrace.Tracee;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads who is whose parent, and the mappings, once everything is stopped. */
final class TreeReading {
  private final RawReader reader;
  private final HeldThreads held;
  private final TracerThread tracer;

  TreeReading(RawReader reader, HeldThreads held, TracerThread tracer) {
    this.reader = reader;
    this.held = held;
    this.tracer = tracer;
  }

  /** Parents before children. Who lost its parent while the tree was being frozen has left the tree, and is let go. */
  List<FrozenProcess> processes(int rootPid, Set<Integer> pids) {
    Map<Integer, FrozenProcess> read = new LinkedHashMap<>();
    for (int pid : pids) {
      byte[] rawStat = reader.file("/proc/" + pid + "/stat");
      if (rawStat != null) {
        read.put(pid, process(pid, rawStat));
      }
    }
    FrozenProcess root = read.get(rootPid);
    if (root == null || root.zombie()) {
      throw new PageliftException(ErrorCategory.REFUSED, "Process " + rootPid + " has ended.");
    }
    List<FrozenProcess> ordered = ordered(root, read);
    Set<Integer> inside = new HashSet<>();
    ordered.forEach(process -> inside.add(process.pid()));
    for (Tracee tracee : List.copyOf(held.all())) {
      if (!inside.contains(tracee.pid())) {
        held.remove(tracee);
        if (!HeldThreads.letGo(tracee)) {
          tracer.letGoLater(tracee);
        }
      }
    }
    return ordered;
  }

  private FrozenProcess process(int pid, byte[] rawStat) {
    ProcStat stat = ProcStat.parse(rawStat);
    List<Tracee> threads = held.of(pid);
    if (!threads.isEmpty() && threads.get(0).tid() != pid) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "Process " + pid + ": its main thread has ended while others run on, which is not carried yet; wait for it to end.");
    }
    int stopSignal = threads.isEmpty() ? 0 : HeldThreads.groupStopSignal(threads.get(0).stop());
    byte[] rawMaps = threads.isEmpty() ? null : reader.file("/proc/" + pid + "/maps");
    return new FrozenProcess(
        pid, stat.parentPid(), threads, stopSignal, rawStat, rawMaps == null ? new byte[0] : rawMaps);
  }

  private static List<FrozenProcess> ordered(FrozenProcess root, Map<Integer, FrozenProcess> read) {
    List<FrozenProcess> ordered = new ArrayList<>(List.of(root));
    for (int i = 0; i < ordered.size(); i++) {
      int parent = ordered.get(i).pid();
      for (FrozenProcess process : read.values()) {
        if (process.parentPid() == parent && process != root) {
          ordered.add(process);
        }
      }
    }
    return ordered;
  }
}
