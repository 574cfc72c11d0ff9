package io.pagelift.linux.inject;

import io.pagelift.linux.Kernel;
import io.pagelift.linux.arch.Architecture;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** What the calls of a {@link Batch} returned. */
public final class BatchResults {
  private final int pid;
  private final Batch batch;
  private final long[] results;
  private final List<Integer> newTasks;

  BatchResults(int pid, Batch batch, long[] results, List<Integer> newTasks) {
    this.newTasks = List.copyOf(newTasks);
    this.pid = pid;
    this.batch = batch;
    this.results = results;
  }

  /** From the entries of a table that were executed. */
  static BatchResults ofTable(int pid, Batch batch, byte[] table, List<Integer> newTasks) {
    ByteBuffer words = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
    long[] results = new long[table.length / Batch.ENTRY_BYTES];
    for (int i = 0; i < results.length; i++) {
      results[i] = words.getLong((i + 1) * Batch.ENTRY_BYTES - Long.BYTES);
    }
    return new BatchResults(pid, batch, results, newTasks);
  }

  /** How many calls were made: all, or those up to and including the required one that failed. */
  public int executed() {
    return results.length;
  }

  /** The ids of the processes and threads that the batch made, in order, as this process's pid namespace has them. */
  public List<Integer> newTasks() {
    return newTasks;
  }

  /**
   * What a call returned: a result or a negative error number.
   *
   * @throws IndexOutOfBoundsException if it was not made
   */
  public long result(int index) {
    return results[index];
  }

  /** The index of the first call that returned an error, -1 if none did. */
  public int firstFailure() {
    for (int i = 0; i < results.length; i++) {
      if (Kernel.failed(results[i])) {
        return i;
      }
    }
    return -1;
  }

  /**
   * What a call returned, checked.
   *
   * @param object what the call was about, for the message
   * @throws io.pagelift.linux.KernelException if it returned an error
   */
  public long check(int index, String object) {
    return Kernel.check(results[index], Architecture.current().syscallName(batch.number(index)), pid, object);
  }

  /**
   * Checks all.
   *
   * @param object what they are about, for the message
   * @throws io.pagelift.linux.KernelException for the first that returned an error
   */
  public BatchResults checkAll(String object) {
    int failed = firstFailure();
    if (failed >= 0) {
      check(failed, object + " (call " + failed + " of " + batch.size() + ")");
    }
    return this;
  }
}
