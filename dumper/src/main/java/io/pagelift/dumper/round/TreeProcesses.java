package io.pagelift.dumper.round;

import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.freeze.ProcessWalk;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStat;
import java.util.ArrayList;
import java.util.List;

/** The processes of a running tree. */
final class TreeProcesses {
  private TreeProcesses() {}

  /** Those that have memory, parents first: neither zombies nor gone. */
  static List<Integer> withMemory(int rootPid) {
    List<Integer> alive = new ArrayList<>();
    try (RawReader reader = new RawReader()) {
      for (int pid : ProcessWalk.pids(reader, rootPid)) {
        try {
          char state = ProcStat.read(pid).state();
          if (state != 'Z' && state != 'X') {
            alive.add(pid);
          }
        } catch (KernelException failure) {
          if (!failure.processGone()) {
            throw failure;
          }
        }
      }
    }
    return alive;
  }
}
