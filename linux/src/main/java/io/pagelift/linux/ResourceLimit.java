package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * One resource limit of a process, by {@code prlimit(2)}.
 *
 * @param soft the limit in force; {@link #UNLIMITED} for none
 * @param hard how far the process may raise it
 */
public record ResourceLimit(long soft, long hard) {
  /** RLIM_INFINITY. */
  public static final long UNLIMITED = -1;

  /** How many resources there are: they are numbered from 0. */
  public static final int COUNT = Constants.RLIM_NLIMITS;

  /** Reads a limit of a process; pid 0 is this one. */
  public static ResourceLimit get(int pid, int resource) {
    Scratch scratch = Scratch.ofThread();
    long result = Kernel.call(SyscallNumbers.PRLIMIT64, pid, resource, 0, scratch.structAddress());
    Kernel.check(result, "prlimit", pid, "resource " + resource);
    return new ResourceLimit(scratch.struct().getLong(0), scratch.struct().getLong(8));
  }

  /** Sets a limit of a process; pid 0 is this one. */
  public void set(int pid, int resource) {
    Scratch scratch = Scratch.ofThread();
    ByteBuffer limit = scratch.struct();
    limit.putLong(0, soft).putLong(8, hard);
    long result = Kernel.call(SyscallNumbers.PRLIMIT64, pid, resource, scratch.structAddress(), 0);
    Kernel.check(result, "prlimit", pid, "resource " + resource);
  }
}
