package io.pagelift.dumper.freeze;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.dumper.tree.ObjectIds;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.dumper.tree.TreeCollector;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import io.pagelift.linux.SyscallNumbers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the whole of a freeze on a process of our own, so that the freeze that counts finds every class loaded and the code
 * warm. Without it the first freeze of a JVM takes half a second longer.
 */
public final class FreezeRehearsal {
  /** The first time loads the classes; from the eighth on it hardly gets faster. */
  private static final int TIMES = 8;

  private static final Duration BOUND = Duration.ofSeconds(5);
  private static final int FIRST_CHILD_DESCRIPTOR = 3;
  private static final int DETOUR = 900;

  private FreezeRehearsal() {}

  /**
   * Spawns two small processes, freezes them, collects their state, lets them go, several times, and ends them. A rehearsal
   * that cannot run is skipped: the real freeze will say what is wrong.
   */
  public static void run() {
    List<Integer> descriptors = new ArrayList<>();
    TracerThread tracer = TracerThread.start();
    int pid = 0;
    try {
      open(descriptors);
      pid = Spawn.posixSpawn("/bin/sh", List.of("sh", "-c", "sleep 100 & sleep 100; :"), actions(descriptors));
      for (int i = 0; i < TIMES; i++) {
        rehearse(tracer, pid);
      }
    } catch (KernelException | PageliftException e) {
      // Skipped, as promised.
    } finally {
      tracer.close();
      if (pid != 0) {
        Spawn.kill(-pid, Constants.SIGKILL);
        Spawn.killAndReap(pid, Deadline.in(BOUND));
      }
      descriptors.forEach(fd -> Kernel.call(SyscallNumbers.CLOSE, fd));
    }
  }

  /** Nothing else of ours may be open in the child; the descriptors take a detour, since their numbers may overlap. */
  private static SpawnActions actions(List<Integer> descriptors) {
    SpawnActions actions = SpawnActions.quiet().inNewSession();
    for (int i = 0; i < descriptors.size(); i++) {
      actions = actions.dup(descriptors.get(i), DETOUR + i);
    }
    for (int i = 0; i < descriptors.size(); i++) {
      actions = actions.dup(DETOUR + i, FIRST_CHILD_DESCRIPTOR + i);
    }
    return actions.closeFrom(FIRST_CHILD_DESCRIPTOR + descriptors.size());
  }

  private static void rehearse(TracerThread tracer, int pid) {
    TreeCollector collector = new TreeCollector(CollectOptions.plain("rehearsal").withShellJob(true));
    try (FrozenTree tree = FrozenTree.freezeForDump(tracer, pid, BOUND)) {
      // Serialised too: protobuf's writers are classes of their own, for each message.
      byte[] image = collector.build(collector.collectFrozen(tree, new RehearsalIds())).toByteArray();
      if (image.length == 0) {
        throw new PageliftException(ErrorCategory.INTERNAL, "The rehearsal of the freeze collected nothing.");
      }
    }
  }

  /** One of each kind of open file that a collector knows; in the child they are kept by the shell. */
  private static void open(List<Integer> descriptors) {
    try (NativeBuffer buffer = NativeBuffer.allocate(16)) {
      Kernel.check(Kernel.call(SyscallNumbers.PIPE2, buffer.address(), Constants.O_CLOEXEC), "pipe2", "");
      descriptors.add(buffer.bytes().getInt(0));
      descriptors.add(buffer.bytes().getInt(4));
      add(descriptors, Kernel.call(SyscallNumbers.WRITE, descriptors.get(1), buffer.address(), 1), false);
      add(descriptors, Kernel.call(SyscallNumbers.EVENTFD2, 1, 0), true);
      add(descriptors, Kernel.call(SyscallNumbers.TIMERFD_CREATE, Constants.CLOCK_MONOTONIC, 0), true);
      buffer.bytes().putLong(0, 1L << (Constants.SIGUSR1 - 1));
      add(descriptors, Kernel.call(SyscallNumbers.SIGNALFD4, -1, buffer.address(), Constants.SIGNAL_SET_BYTES, 0), true);
      buffer.bytes().putLong(0, 'x');
      add(descriptors, Kernel.call(SyscallNumbers.MEMFD_CREATE, buffer.address(), 0), true);
      add(descriptors, Kernel.call(SyscallNumbers.EPOLL_CREATE1, 0), true);
    }
  }

  private static void add(List<Integer> descriptors, long result, boolean descriptor) {
    Kernel.check(result, "open", "a file for the rehearsal");
    if (descriptor) {
      descriptors.add((int) result);
    }
  }

  private static final class RehearsalIds implements ObjectIds {
    @Override
    public long addressSpace(int pid) {
      return pid;
    }

    @Override
    public long sharedMemory(SharedKey key) {
      return key.inode();
    }

    @Override
    public long fileContents(SharedKey key) {
      return key.inode();
    }
  }
}
