package io.pagelift.dumper.refuse;

import io.pagelift.linux.Capabilities;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sleeping processes of ours, one for each user and group of a tree, without any rights: a process of the same user may look into
 * them, unless something else than rights forbids it. Made by setpriv(1) of util-linux; where that is missing there are none.
 */
final class Bystanders implements AutoCloseable {
  private static final String PROGRAM = "/usr/bin/setpriv";
  private static final Duration START_BOUND = Duration.ofSeconds(20);
  private static final Duration END_BOUND = Duration.ofSeconds(20);

  private final Map<List<Long>, Integer> pids = new HashMap<>();

  private Bystanders() {}

  /** Starts them; returns when they are what they should be. */
  static Bystanders start(Collection<Integer> tree) {
    Bystanders all = new Bystanders();
    if (!Files.isExecutable(Path.of(PROGRAM))) {
      return all;
    }
    for (int pid : tree) {
      List<Long> user = HiddenInspection.realUserAndGroup(pid);
      if (!user.isEmpty() && !all.pids.containsKey(user)) {
        all.pids.put(user, spawn(user));
      }
    }
    all.pids.values().removeIf(pid -> !ready(pid));
    return all;
  }

  private static int spawn(List<Long> user) {
    List<String> command =
        List.of(
            "setpriv",
            "--reuid=" + user.get(0),
            "--regid=" + user.get(1),
            "--clear-groups",
            "--bounding-set=-all",
            "--inh-caps=-all",
            // They go with us, also when we are killed.
            "--pdeathsig=KILL",
            "/bin/sleep",
            "120");
    return Spawn.posixSpawn(PROGRAM, command, SpawnActions.quiet().inNewSession());
  }

  /** Ready when it is the sleeping program, which it becomes last. */
  private static boolean ready(int pid) {
    boolean[] ready = {false};
    Deadline.in(START_BOUND)
        .await(
            () -> {
              try {
                ProcStatus status = ProcStatus.read(pid);
                ready[0] = status.text("Name").equals("sleep") && Capabilities.of(pid).permitted() == 0;
                return ready[0] || status.state() == 'Z';
              } catch (KernelException gone) {
                return true;
              }
            });
    if (!ready[0]) {
      Spawn.killAndReap(pid, Deadline.in(END_BOUND));
    }
    return ready[0];
  }

  /** The one that a process may look at; 0 if there is none. */
  int of(int pid) {
    return pids.getOrDefault(HiddenInspection.realUserAndGroup(pid), 0);
  }

  @Override
  public void close() {
    pids.values().forEach(pid -> Spawn.kill(pid, Constants.SIGKILL));
    pids.values().forEach(pid -> Spawn.killAndReap(pid, Deadline.in(END_BOUND)));
  }
}
