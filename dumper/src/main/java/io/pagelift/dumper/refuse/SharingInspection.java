package io.pagelift.dumper.refuse;

import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Finds what processes share by clone(2) flags that only threads of one process usually share: memory, descriptor tables,
 * current directories. kcmp(2) orders what it compares, so the search stays at n log n.
 */
public final class SharingInspection {
  /** What is compared: the kernel's KCMP_ numbers. */
  private enum Shared {
    VM(1, "its memory (CLONE_VM, or vfork in progress)"),
    FILES(2, "its descriptor table (CLONE_FILES)"),
    FS(3, "its current directory (CLONE_FS)");

    final int type;
    final String object;

    Shared(int type, String object) {
      this.type = type;
      this.object = object;
    }
  }

  private SharingInspection() {}

  /** Looks at all processes of a tree, and at the threads of each. */
  public static void inspect(Collection<ProcessFacts> processes, RefusalSink sink) {
    for (Shared shared : Shared.values()) {
      List<Integer> sorted = new ArrayList<>();
      for (ProcessFacts process : processes) {
        if (!process.zombie()) {
          place(process.pid(), sorted, shared, sink);
        }
      }
    }
    for (ProcessFacts process : processes) {
      for (int tid : process.statusByThread().keySet()) {
        if (tid != process.pid()) {
          inspectThread(process.pid(), tid, sink);
        }
      }
    }
  }

  private static void place(int pid, List<Integer> sorted, Shared shared, RefusalSink sink) {
    int low = 0;
    int high = sorted.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      long order = compare(sorted.get(middle), pid, shared);
      if (order == 0) {
        sink.refuse(
            pid,
            "it shares " + shared.object + " with process " + sorted.get(middle),
            "processes that share it are not carried yet",
            "dump again when the program has called exec, or let it run without that flag");
        return;
      }
      if (order == 1) {
        low = middle + 1;
      } else if (order == 2) {
        high = middle;
      } else {
        return;
      }
    }
    sorted.add(low, pid);
  }

  private static void inspectThread(int pid, int tid, RefusalSink sink) {
    for (Shared shared : List.of(Shared.FILES, Shared.FS)) {
      long order = compare(pid, tid, shared);
      if (order == 1 || order == 2) {
        sink.refuse(
            pid,
            "thread " + tid + " does not share " + shared.object + " with the main thread",
            "that is not carried yet",
            "let the program run without unshare");
      }
    }
  }

  /** 0 the same, 1 before, 2 behind; -1 when one of them is gone. */
  private static long compare(int left, int right, Shared shared) {
    long result = Kernel.call(SyscallNumbers.KCMP, left, right, shared.type, 0, 0);
    return result == -Errno.ESRCH ? -1 : Kernel.check(result, "kcmp", right, "");
  }
}
