package io.pagelift.dumper.refuse;

import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.SyscallNumbers;
import java.util.List;
import java.util.Set;

/**
 * Finds System V semaphores and message queues that a tree uses, sysvipc(7). They belong to no process; what the kernel tells is which
 * process did the last operation on each semaphore, and sent or received last from a queue.
 */
final class IpcInspection {
  private static final int GETPID = 11;

  /** As many semaphores of one set are asked for; a set may have 32,000. */
  private static final int MAX_SEMAPHORES = 4096;

  private static final int SET_ID = 1;
  private static final int SET_SIZE = 3;
  private static final int QUEUE_ID = 1;
  private static final int LAST_SENDER = 5;
  private static final int LAST_RECEIVER = 6;

  private IpcInspection() {}

  static void inspect(Set<Integer> tree, RefusalSink sink) {
    for (String[] set : table("/proc/sysvipc/sem")) {
      int id = Integer.parseInt(set[SET_ID]);
      int count = Math.min(MAX_SEMAPHORES, Integer.parseInt(set[SET_SIZE]));
      for (int i = 0; i < count; i++) {
        long pid = Kernel.call(SyscallNumbers.SEMCTL, id, i, GETPID, 0);
        if (pid > 0 && tree.contains((int) pid)) {
          refuse((int) pid, "System V semaphores " + id, "use POSIX semaphores in shared memory (sem_init)", sink);
          break;
        }
      }
    }
    for (String[] queue : table("/proc/sysvipc/msg")) {
      for (int field : new int[] {LAST_SENDER, LAST_RECEIVER}) {
        int pid = Integer.parseInt(queue[field]);
        if (tree.contains(pid)) {
          refuse(pid, "System V message queue " + queue[QUEUE_ID], "use pipes", sink);
        }
      }
    }
  }

  private static void refuse(int pid, String object, String remedy, RefusalSink sink) {
    sink.refuse(pid, object, "it used them, and they are not carried yet", remedy);
  }

  private static List<String[]> table(String path) {
    try {
      return ProcFile.lines(path).stream().skip(1).map(line -> line.strip().split(" +", -1)).toList();
    } catch (KernelException e) {
      return List.of(); // A kernel without System V IPC.
    }
  }
}
