package io.pagelift.dumper.freeze;

import io.pagelift.linux.ptrace.Tracee;
import java.util.List;

/** One process of a {@link FrozenTree}. A zombie has no threads and no mappings. */
public final class FrozenProcess {
  private final int pid;
  private final int parentPid;
  private final List<Tracee> threads;
  private final int stopSignal;
  private final byte[] rawStat;
  private final byte[] rawMaps;

  FrozenProcess(int pid, int parentPid, List<Tracee> threads, int stopSignal, byte[] rawStat, byte[] rawMaps) {
    this.pid = pid;
    this.parentPid = parentPid;
    this.threads = threads;
    this.stopSignal = stopSignal;
    this.rawStat = rawStat;
    this.rawMaps = rawMaps;
  }

  /** Its process id. */
  public int pid() {
    return pid;
  }

  /** The parent inside the tree; of the root, its parent outside. */
  public int parentPid() {
    return parentPid;
  }

  /** Whether it has exited and waits for its parent to collect it. */
  public boolean zombie() {
    return threads.isEmpty();
  }

  /** The main thread; only for the tracer thread to call. Not for a zombie. */
  public Tracee leader() {
    return threads.get(0);
  }

  /** All threads, the leader first; only for the tracer thread to call. Empty for a zombie. */
  public List<Tracee> threads() {
    return threads;
  }

  /** The signal that had stopped it before we came (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU); 0 if it ran. */
  public int stopSignal() {
    return stopSignal;
  }

  /** The text of {@code /proc/PID/stat} as read in the freeze. The caller must not change it. */
  public byte[] rawStat() {
    return rawStat;
  }

  /** The text of {@code /proc/PID/maps} as read in the freeze; empty for a zombie. The caller must not change it. */
  public byte[] rawMaps() {
    return rawMaps;
  }
}
