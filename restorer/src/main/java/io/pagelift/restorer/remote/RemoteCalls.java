package io.pagelift.restorer.remote;

import io.pagelift.common.PageliftException;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchExecutor;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.stub.StubTask;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * Calls made by one thread of a process that is being rebuilt: queued, run in batches, checked.
 *
 * <p>Queued calls run in order when the table or the room for data is full, at the latest when {@link #flush} is called. The
 * first that fails ends the rebuilding: a message then names the process, what was being done and the kernel's reason. Threads
 * of one process share the work area, so flush one before using another. Used by the tracing thread only.
 */
public final class RemoteCalls {
  /** Bound of one batch. A batch may read gigabytes from a slow disk, and whole machines have been seen to stall for 15 s. */
  private static final Duration BATCH_BOUND = Duration.ofMinutes(2);

  private static final long ANY = Long.MIN_VALUE;

  private record Queued(String what, long expected, long number) {}

  private final StubTask task;
  private final BatchExecutor executor;
  private final List<Queued> queued = new ArrayList<>();
  private List<Queued> running = List.of();
  private Batch batch;

  /** Calls in this thread. */
  public RemoteCalls(StubTask task) {
    this.task = task;
    this.executor = task.executor();
    this.batch = executor.newBatch();
  }

  /** The process. */
  public int pid() {
    return task.tracee().pid();
  }

  /** The thread. */
  public StubTask task() {
    return task;
  }

  /**
   * Queues a call that must succeed.
   *
   * @param what for the message when it fails: what the call does, such as {@code "map 0x1000-0x2000"}
   */
  public void add(String what, long number, long... arguments) {
    addExpecting(what, ANY, number, arguments);
  }

  /** Queues a call that must return this result. */
  public void addExpecting(String what, long expected, long number, long... arguments) {
    if (batch.entriesLeft() == 0) {
      flush();
    }
    batch.require(number, arguments);
    queued.add(new Queued(what, expected, number));
  }

  /** Queues a call that may fail. */
  public void addOptional(long number, long... arguments) {
    if (batch.entriesLeft() == 0) {
      flush();
    }
    batch.add(number, arguments);
    queued.add(new Queued("", ANY, number));
  }

  /** Runs what is queued, then this call, and returns its result. */
  public long call(String what, long number, long... arguments) {
    add(what, number, arguments);
    return flush();
  }

  /** Runs what is queued, then this call, and returns its result or a negative error number. */
  public long attempt(long number, long... arguments) {
    addOptional(number, arguments);
    return flush();
  }

  /** Puts bytes into the process for the next call that is queued; they are gone after it. Returns their address there. */
  public long data(byte[] bytes) {
    if (batch.scratchBytesLeft() < bytes.length + 16 || batch.entriesLeft() == 0) {
      flush();
    }
    return batch.data(bytes);
  }

  /**
   * Room for data that hold their own address: reserved zeroed, made by {@code maker} once the address is known.
   *
   * @return the address
   */
  public long data(int lengthBytes, LongFunction<byte[]> maker) {
    if (batch.scratchBytesLeft() < lengthBytes + 16 || batch.entriesLeft() == 0) {
      flush();
    }
    // Nothing comes in between: what is added next lies behind what was there.
    long address = batch.reserve(0);
    batch.data(maker.apply(address));
    return address;
  }

  /** Puts a string with its NUL into the process, like {@link #data}. */
  public long string(byte[] name) {
    byte[] terminated = new byte[name.length + 1];
    System.arraycopy(name, 0, terminated, 0, name.length);
    return data(terminated);
  }

  /** Reads memory of the process, such as what the last call left in its data. */
  public byte[] read(long address, int lengthBytes) {
    return executor.read(address, lengthBytes);
  }

  /** Runs what is queued and returns the last result, 0 if there was nothing to run. */
  public long flush() {
    if (queued.isEmpty()) {
      return 0;
    }
    start();
    try {
      return checked(executor.end(Deadline.in(BATCH_BOUND)));
    } catch (KernelException e) {
      throw failure(running.get(0).what() + " and what follows", e);
    }
  }

  /** Whether so many more calls with so many bytes of data in all can be queued without running what is queued by now. */
  public boolean room(int calls, int dataBytes) {
    return batch.entriesLeft() >= calls && batch.scratchBytesLeft() >= dataBytes;
  }

  /** Begins to run what is queued, one call or more. Nothing may be queued until {@link #done}. */
  public void start() {
    running = List.copyOf(queued);
    queued.clear();
    Batch started = batch;
    batch = executor.newBatch();
    try {
      executor.begin(started);
    } catch (KernelException e) {
      throw failure(running.get(0).what() + " and what follows", e);
    }
  }

  /** Whether something was started that {@link #done} has not reported yet. */
  public boolean running() {
    return !running.isEmpty();
  }

  /** Whether what was started has run. Never waits. */
  public boolean done() {
    if (running.isEmpty()) {
      return true;
    }
    try {
      BatchResults results = executor.poll();
      if (results == null) {
        return false;
      }
      checked(results);
      return true;
    } catch (KernelException e) {
      throw failure(running.get(0).what() + " and what follows", e);
    }
  }

  private long checked(BatchResults results) {
    List<Queued> calls = running;
    running = List.of();
    for (int i = 0; i < results.executed(); i++) {
      Queued call = calls.get(i);
      long result = results.result(i);
      boolean failed = Kernel.failed(result) && !call.what().isEmpty();
      if (failed) {
        throw failure(call.what(), new KernelException(SyscallNumbers.name(call.number()), (int) -result, pid(), ""));
      }
      if (call.expected() != ANY && call.expected() != result) {
        throw RebuildFailure.of(pid(), call.what(), "the kernel answered " + result + " instead of " + call.expected());
      }
    }
    return results.result(results.executed() - 1);
  }

  private PageliftException failure(String what, KernelException e) {
    return RebuildFailure.of(pid(), what, e);
  }
}
