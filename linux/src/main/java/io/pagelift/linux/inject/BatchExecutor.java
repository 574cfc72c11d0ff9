package io.pagelift.linux.inject;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.arch.Architecture;
import io.pagelift.linux.arch.StubCode;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Runs batches of system calls in a thread of a process that we own: one that we made and that dies with us (EXITKILL).
 *
 * <p>The thread gets the table of calls written into its memory, runs all of it in one resume, and stops at a breakpoint
 * instruction. That is what a living target must never see (without a tracer it would be killed by the SIGTRAP), and what makes
 * a call here an order of magnitude cheaper than one by {@link LivingInjection}.
 *
 * <p>All signals are blocked in the thread from the first batch on.
 */
public final class BatchExecutor {
  private static final long ALL_SIGNALS = ~0L;

  private final Tracee tracee;
  private final long codeAddress;
  private final long tableAddress;
  private final int maxEntries;
  private final long scratchAddress;
  private final int scratchBytes;
  private final StubCode stubCode = Architecture.current().stubCode();
  private final List<Integer> newTasks = new ArrayList<>();
  private @Nullable Registers base;
  private @Nullable Batch running;

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
    return Architecture.current().stubCode().batchExecutor();
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
   * @throws KernelException ETIMEDOUT if it does not end in time; ESRCH if the thread was killed
   */
  public BatchResults run(Batch batch, Deadline deadline) {
    if (batch.size() == 0) {
      return new BatchResults(tracee.pid(), batch, new long[0], List.of());
    }
    begin(batch);
    return end(deadline);
  }

  /**
   * Starts a batch of one call or more and returns at once, so that several threads can run theirs at the same time. {@link #end}
   * or {@link #poll} must give its results before the next one.
   */
  public void begin(Batch batch) {
    if (running != null || batch.size() == 0) {
      throw new IllegalStateException("thread " + tracee.tid() + " runs a batch already, or this one is empty");
    }
    RemoteMemory.write(tracee.pid(), tableAddress, batch.tableBytes());
    RemoteMemory.write(tracee.pid(), scratchAddress, batch.scratchContent());
    Registers registers = base;
    if (registers == null) {
      tracee.setSignalMask(ALL_SIGNALS);
      registers = tracee.registers();
      base = registers;
    }
    tracee.setRegisters(
        Registers.of(stubCode.preparedForBatch(registers.bytes(), codeAddress, tableAddress, batch.size())));
    newTasks.clear();
    running = batch;
    tracee.resume(0);
  }

  /**
   * Waits for the batch that was begun.
   *
   * @throws KernelException as {@link #run}
   */
  public BatchResults end(Deadline deadline) {
    AtomicReference<BatchResults> results = new AtomicReference<>();
    boolean ended =
        deadline.await(
            () -> {
              results.set(poll());
              return results.get() != null;
            });
    if (!ended) {
      throw new KernelException("waitid", Errno.ETIMEDOUT, tracee.pid(), "a stop of thread " + tracee.tid());
    }
    return results.get();
  }

  /**
   * The results of the batch that was begun, or null while it runs. Never waits.
   *
   * @throws KernelException ESRCH if the thread was killed
   */
  public @Nullable BatchResults poll() {
    Batch batch = running;
    if (batch == null) {
      throw new IllegalStateException("thread " + tracee.tid() + " runs no batch");
    }
    for (Stop stop = tracee.pollStop(); stop != null; stop = tracee.pollStop()) {
      Registers atEnd = atEnd(stop);
      if (atEnd != null) {
        running = null;
        return results(batch, executed(batch, atEnd));
      }
      // What else may come: an interrupt that was asked for earlier, SIGSTOP. None is the end.
      tracee.resume(0);
    }
    return null;
  }

  private int executed(Batch batch, Registers atEnd) {
    int count = batch.size();
    int left = stubCode.batchCallsLeft(atEnd.bytes());
    if (left < 0 || left > count) {
      throw new IllegalStateException("the batch in thread " + tracee.tid() + " ended with " + left + " calls left");
    }
    return left == 0 ? count : count - left + 1;
  }

  /** The registers at the end of the batch; null if the thread stopped for something else, which is noted. */
  private @Nullable Registers atEnd(Stop stop) {
    if (stop.ended()) {
      throw new KernelException("batch", Errno.ESRCH, tracee.pid(), "thread " + tracee.tid() + ", ended with " + stop);
    }
    if (stop.kind() == Stop.Kind.SIGNAL && stop.number() == Constants.SIGTRAP) {
      Registers registers = tracee.registers();
      if (registers.rip() == codeAddress + stubCode.batchExecutor().length) {
        return registers;
      }
    }
    if (stop.kind() == Stop.Kind.SIGNAL && fault(stop.number())) {
      throw new KernelException(
          "batch", Errno.EFAULT, tracee.pid(), "thread " + tracee.tid() + ", stopped with " + stop);
    }
    if (stop.kind() == Stop.Kind.EVENT && stop.number() <= Stop.EVENT_CLONE) {
      newTasks.add((int) tracee.eventMessage());
    }
    return null;
  }

  private static boolean fault(int signal) {
    return signal == Constants.SIGSEGV
        || signal == Constants.SIGBUS
        || signal == Constants.SIGILL
        || signal == Constants.SIGTRAP
        || signal == Constants.SIGSYS;
  }

  private BatchResults results(Batch batch, int executed) {
    byte[] table = RemoteMemory.read(tracee.pid(), tableAddress, executed * Batch.ENTRY_BYTES);
    return BatchResults.ofTable(tracee.pid(), batch, table, newTasks);
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

  /** Reads the process's memory, such as results in the scratch area. */
  public byte[] read(long address, int lengthBytes) {
    return RemoteMemory.read(tracee.pid(), address, lengthBytes);
  }

  /** Writes the process's memory where it is writable for the process itself. */
  public void write(long address, byte[] content) {
    RemoteMemory.write(tracee.pid(), address, content);
  }
}
