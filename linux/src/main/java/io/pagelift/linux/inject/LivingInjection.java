package io.pagelift.linux.inject;

import io.pagelift.linux.ptrace.Tracee;

/**
 * System calls made by a stopped thread of a process that must survive our death at any moment.
 *
 * <p>Skeleton: the signatures are final, the implementation follows.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class LivingInjection implements AutoCloseable {
  private final Tracee tracee;

  private LivingInjection(Tracee tracee) {
    this.tracee = tracee;
  }

  /**
   * Prepares a thread for injected calls.
   *
   * @param tracee a thread in an INTERRUPTED or GROUP_STOP stop, seized with {@code PtraceOptions.LIVING}; all other threads
   *     of the process are stopped too
   * @throws io.pagelift.linux.KernelException ENOTSUP if the target has no room for the stub (no vdso), EBUSY if another
   *     thread of it still executes an earlier stub
   */
  public static LivingInjection open(Tracee tracee) {
    return new LivingInjection(tracee);
  }

  /**
   * Makes a call in the target. Cleanups of earlier calls that are still armed stay armed.
   *
   * @return the result, or a negative error number; {@code Kernel.check} turns the latter into an exception
   */
  public long call(long number, long... arguments) {
    throw new UnsupportedOperationException("injection of " + number + " into " + tracee + Calls.checked(arguments).length);
  }

  /**
   * Makes a call whose effect must not outlast us: the cleanup is armed before the call is made. It runs when
   * {@link #runCleanup} or {@link #close} is called, or, if this program dies, by the target itself.
   *
   * @return the result, or a negative error number (then there is nothing to clean up, and nothing stays armed)
   */
  public long callThen(Cleanup cleanup, long number, long... arguments) {
    return call(number, arguments) + cleanup.number();
  }

  /**
   * Runs the cleanup that was armed last.
   *
   * @return what its call returned
   */
  public long runCleanup() {
    return 0;
  }

  /**
   * Maps a work area in the target, at most one at a time; it goes at {@link #close}, or by the target itself.
   *
   * @param lengthBytes rounded up to whole pages
   */
  public WorkArea workArea(long lengthBytes) {
    return new WorkArea(0, lengthBytes);
  }

  /**
   * Writes into the work area.
   *
   * @param offsetBytes where in it
   */
  public void write(long offsetBytes, byte[] content) {
    throw new UnsupportedOperationException("write at " + offsetBytes + " of " + content.length);
  }

  /**
   * Reads from the work area.
   *
   * @param offsetBytes where in it
   */
  public byte[] read(long offsetBytes, int lengthBytes) {
    throw new UnsupportedOperationException("read at " + offsetBytes + " of " + lengthBytes);
  }

  /**
   * Makes many calls at the least cost for each; they run in order whatever the results of the earlier ones. None may leave
   * anything behind in the target.
   *
   * @param batch from {@link #newBatch()}
   */
  public BatchResults runBatch(Batch batch) {
    throw new UnsupportedOperationException("batch of " + batch.size());
  }

  /** An empty batch for {@link #runBatch}; it needs the work area, for its table and data. */
  public Batch newBatch() {
    throw new UnsupportedOperationException("batch");
  }

  /**
   * Runs the armed cleanups, unmaps the work area and puts the thread back into the very stop that it was in: signal mask,
   * registers and a pending restart of its interrupted call, and zeros where the stub was. The caller then detaches.
   */
  @Override
  public void close() {}
}
