package io.pagelift.dumper.refuse;

import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.inject.WorkArea;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds what only a process itself can be asked: keyrings, a Landlock domain, a local descriptor table. The tree is stopped for these
 * questions alone, for a millisecond or so, before a dump begins to send anything.
 *
 * <p><b>Keyrings</b>, keyrings(7). A session keyring that is the dumper's own, or holds nothing but its user's keyrings, is no loss: the
 * copy gets the restorer's. Keys of its own would be.
 *
 * <p><b>Landlock</b>, landlock(7). No file and no call tells whether a process is in a domain. But a process in a domain may not look
 * into one outside of it, whatever its rights, and get_robust_list(2) of another process is such a look. The {@link Bystanders} that it
 * looks at have the same user and no rights at all, so that nothing but a security module can be in the way.
 *
 * <p>Main threads are asked. A thread may be confined, or have a keyring, by itself; asking thousands would stop the tree for long.
 */
public final class HiddenInspection {
  private static final Duration FREEZE_BOUND = Duration.ofSeconds(20);
  private static final Duration WORK_BOUND = Duration.ofSeconds(60);
  private static final int AREA_BYTES = 16 * 1024;
  private static final int LDT_ENTRY_BYTES = 8;
  private static final int KEYCTL_GET_KEYRING_ID = 0;
  private static final int KEYCTL_READ = 11;
  private static final int THREAD_KEYRING = -1;
  private static final int PROCESS_KEYRING = -2;
  private static final int SESSION_KEYRING = -3;
  private static final int USER_KEYRING = -4;
  private static final int USER_SESSION_KEYRING = -5;
  private static final int LIST_BYTES = 1024;

  private final CollectOptions options;
  private final long ownSession;
  private final List<Refusal> refusals = new ArrayList<>();

  private HiddenInspection(CollectOptions options) {
    this.options = options;
    this.ownSession = Kernel.call(SyscallNumbers.KEYCTL, KEYCTL_GET_KEYRING_ID, SESSION_KEYRING, 0);
  }

  /**
   * Asks all processes of a tree.
   *
   * @param pids its processes, as far as they are known
   * @return what cannot be carried over
   * @throws PageliftException as {@link FrozenTree#freeze}
   */
  public static List<Refusal> ask(TracerThread tracer, int rootPid, List<Integer> pids, CollectOptions options) {
    HiddenInspection inspection = new HiddenInspection(options);
    try (Bystanders bystanders = Bystanders.start(pids)) {
      Map<Integer, Integer> looksAt = new HashMap<>();
      pids.forEach(pid -> looksAt.put(pid, bystanders.of(pid)));
      tracer.run("ask the processes of the tree", WORK_BOUND, () -> inspection.ask(tracer, rootPid, looksAt));
    }
    return inspection.refusals;
  }

  private void ask(TracerThread tracer, int rootPid, Map<Integer, Integer> looksAt) {
    try (FrozenTree tree = FrozenTree.freeze(tracer, rootPid, FREEZE_BOUND)) {
      for (FrozenProcess process : tree.processes()) {
        if (!process.zombie()) {
          ask(process.leader(), looksAt.getOrDefault(process.pid(), 0));
        }
      }
      tree.thaw();
    }
  }

  private void ask(Tracee leader, int bystander) {
    try (LivingInjection injection = LivingInjection.open(leader)) {
      WorkArea area = injection.workArea(AREA_BYTES);
      Batch batch = injection.newBatch();
      long place = batch.reserve(2 * Long.BYTES);
      int look = batch.add(SyscallNumbers.GET_ROBUST_LIST, bystander, place, place + Long.BYTES);
      int table = batch.add(SyscallNumbers.MODIFY_LDT, 0, batch.reserve(LDT_ENTRY_BYTES), LDT_ENTRY_BYTES);
      int[] ids = new int[-USER_SESSION_KEYRING + 1];
      for (int special = THREAD_KEYRING; special >= USER_SESSION_KEYRING; special--) {
        ids[-special] = batch.add(SyscallNumbers.KEYCTL, KEYCTL_GET_KEYRING_ID, special, 0);
      }
      long[] lists = new long[-SESSION_KEYRING + 1];
      int[] reads = new int[-SESSION_KEYRING + 1];
      for (int special = THREAD_KEYRING; special >= SESSION_KEYRING; special--) {
        lists[-special] = batch.reserve(LIST_BYTES);
        reads[-special] = batch.add(SyscallNumbers.KEYCTL, KEYCTL_READ, special, lists[-special], LIST_BYTES);
      }
      BatchResults results = injection.runBatch(batch);
      if (bystander != 0 && results.result(look) == -Errno.EPERM) {
        refuse(
            leader.pid(),
            "its security domain",
            "it may not look at a process of its own user, so Landlock or another security module confines it, which cannot be carried",
            "run the program without its sandbox");
      }
      if (results.result(table) > 0) {
        refuse(
            leader.pid(),
            "its local descriptor table (modify_ldt)",
            "it is not carried yet",
            "run a build that does without it; 16-bit and 32-bit emulators use it");
      }
      for (int special = THREAD_KEYRING; special >= SESSION_KEYRING && !options.dropKeyrings(); special--) {
        long bytes = results.result(reads[-special]);
        ByteBuffer list =
            bytes <= 0
                ? ByteBuffer.allocate(0)
                : ByteBuffer.wrap(injection.read(lists[-special] - area.address(), (int) Math.min(bytes, LIST_BYTES)));
        inspectKeyring(leader.pid(), special, results, ids, list.order(ByteOrder.nativeOrder()), bytes);
      }
    }
  }

  private void inspectKeyring(int pid, int special, BatchResults results, int[] ids, ByteBuffer keys, long bytes) {
    long id = results.result(ids[-special]);
    boolean own = id < 0 || (special == SESSION_KEYRING && (id == ownSession || id == results.result(ids[-USER_SESSION_KEYRING])));
    boolean loss = !own && (bytes < 0 || bytes > LIST_BYTES);
    while (!own && keys.remaining() >= Integer.BYTES) {
      long key = keys.getInt();
      loss |= key != results.result(ids[-USER_KEYRING]) && key != results.result(ids[-USER_SESSION_KEYRING]);
    }
    if (loss) {
      String name = special == SESSION_KEYRING ? "session" : special == PROCESS_KEYRING ? "process" : "thread";
      refuse(
          pid,
          "its " + name + " keyring " + id,
          "it has keys of its own, which are not carried",
          "dump with --keyrings=drop if it can do without them (the copy gets the restorer's keyring), or revoke them (keyctl)");
    }
  }

  private void refuse(int pid, String object, String reason, String remedy) {
    refusals.add(new Refusal(pid, object, reason, remedy));
  }

  /** Whether a process's user can be told; it may be gone. */
  static List<Long> realUserAndGroup(int pid) {
    try {
      ProcStatus status = ProcStatus.read(pid);
      return List.of(status.uids().get(0), status.gids().get(0));
    } catch (KernelException e) {
      return List.of();
    }
  }
}
