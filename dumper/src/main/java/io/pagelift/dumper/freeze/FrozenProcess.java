package io.pagelift.dumper.freeze;

/** One process of a {@link FrozenTree}. A zombie has no threads and no mappings. */
public final class FrozenProcess {
  private final int pid;
  private final int parentPid;
  private final boolean zombie;
  private final byte[] rawMaps;

  FrozenProcess(int pid, int parentPid, boolean zombie, byte[] rawMaps) {
    this.pid = pid;
    this.parentPid = parentPid;
    this.zombie = zombie;
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
    return zombie;
  }

  /** The text of {@code /proc/PID/maps} as read in the freeze; empty for a zombie. The caller must not change it. */
  public byte[] rawMaps() {
    return rawMaps;
  }
}
