package io.pagelift.linux.inject;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.ptrace.Tracee;

/**
 * Runs batches of system calls in a thread of a process that we own: one that we made and that dies with us (EXITKILL).
 *
 * <p>Skeleton: the signatures are final, the implementation follows.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class BatchExecutor {
  private final Tracee tracee;
  private final long codeAddress;
  private final long tableAddress;
  private final int maxEntries;
  private final long scratchAddress;
  private final int scratchBytes;

  /**
   * An executor in a stopped thread.
   *
   * @param tracee the thread; its registers and signal mask are the executor's to use, and are not put back
   * @param codeAddress where {@link #code()} is in the process, executable
   * @param tableAddress writable memory of {@code maxEntries} * 64 bytes
   * @param maxEntries the most calls in one batch
   * @param scratchAddress writable memory for the calls' data
   * @param scratchBytes its length
   */
  public BatchExecutor(
      Tracee tracee, long codeAddress, long tableAddress, int maxEntries, long scratchAddress, int scratchBytes) {
    this.tracee = tracee;
    this.codeAddress = codeAddress;
    this.tableAddress = tableAddress;
    this.maxEntries = maxEntries;
    this.scratchAddress = scratchAddress;
    this.scratchBytes = scratchBytes;
  }

  /** The machine code of the executor, position-independent, less than 128 bytes. */
  public static byte[] code() {
    return new byte[0];
  }

  /** The thread. */
  public Tracee tracee() {
    return tracee;
  }

  /** An empty batch that fits this executor. */
  public Batch newBatch() {
    return new Batch(maxEntries, scratchAddress, scratchBytes);
  }

  /**
   * Runs a batch: one resume of the thread, whatever the number of calls.
   *
   * @throws io.pagelift.linux.KernelException ETIMEDOUT if it does not end in time; ESRCH if the thread was killed
   */
  public BatchResults run(Batch batch, Deadline deadline) {
    throw new UnsupportedOperationException(
        "batch of " + batch.size() + " at " + codeAddress + tableAddress + deadline);
  }

  /**
   * Makes one call.
   *
   * @return the result, or a negative error number
   */
  public long call(Deadline deadline, long number, long... arguments) {
    Batch batch = newBatch();
    batch.add(number, arguments);
    return run(batch, deadline).result(0);
  }

  /** Reads the process's memory, such as results in the scratch area; ignores page protection. */
  public byte[] read(long address, int lengthBytes) {
    throw new UnsupportedOperationException("read " + address + lengthBytes);
  }

  /** Writes the process's memory; ignores page protection. */
  public void write(long address, byte[] content) {
    throw new UnsupportedOperationException("write " + address + content.length);
  }
}
