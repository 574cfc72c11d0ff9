package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_FIXED_NOREPLACE;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.stub.StubRegion;
import io.pagelift.linux.stub.StubTask;
import io.pagelift.restorer.remote.RemoteCalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Passing threads of a process that is being rebuilt, which read its pages side by side: filling fresh memory is bound by the
 * processor, because every page must be found, zeroed, accounted and copied to. They take piece after piece until nothing is left,
 * and are gone before the process goes on being built.
 */
final class PageFillers {
  /** More would wait for each other at the process's memory lock. */
  static final int MAX_COUNT = 4;

  /** Free bytes that are needed for their work areas. */
  static final long AREA_BYTES = (long) MAX_COUNT * StubRegion.DEFAULT_WORK_BYTES;

  private static final Duration STEP_BOUND = Duration.ofSeconds(30);
  private static final Duration READ_BOUND = Duration.ofMinutes(2);

  private final RemoteCalls owner;
  private final long area;
  private final List<RemoteCalls> helpers = new ArrayList<>();

  private PageFillers(RemoteCalls owner, long area) {
    this.owner = owner;
    this.area = area;
  }

  /**
   * Runs all reads.
   *
   * @param owner the process's first thread; what it has queued is run first
   * @param area start of {@link #AREA_BYTES} free bytes
   * @param count how many threads, 1 to {@link #MAX_COUNT}
   */
  static void run(RemoteCalls owner, long area, int count, PageReads reads) {
    PageFillers fillers = new PageFillers(owner, area);
    fillers.begin(count);
    try {
      while (fillers.handOut(reads)) {
        fillers.awaitOne();
      }
    } catch (RuntimeException e) {
      fillers.kill();
      throw e;
    }
    fillers.end();
  }

  private void begin(int count) {
    int workBytes = owner.task().region().workBytes();
    owner.addExpecting(
        "map the work areas",
        area,
        SyscallNumbers.MMAP,
        area,
        AREA_BYTES,
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
        -1,
        0);
    owner.flush();
    try {
      for (int i = 0; i < count; i++) {
        StubTask helper = owner.task().cloneHelper(area + (long) i * workBytes, Deadline.in(STEP_BOUND));
        helpers.add(new RemoteCalls(helper));
      }
    } catch (KernelException e) {
      kill();
      throw e;
    }
  }

  /** Gives every idle thread its next piece; returns whether one runs. */
  private boolean handOut(PageReads reads) {
    boolean running = false;
    for (RemoteCalls helper : helpers) {
      if (helper.done() && !reads.exhausted()) {
        reads.queue(helper);
        helper.start();
      }
      running |= helper.running();
    }
    return running;
  }

  private void awaitOne() {
    boolean done = Deadline.in(READ_BOUND).await(() -> helpers.stream().anyMatch(helper -> helper.running() && helper.done()));
    if (!done) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED,
          "Process " + owner.pid() + " could not read the next of its pages within " + READ_BOUND.toSeconds()
              + " s; is the disk of the store well?");
    }
  }

  private void end() {
    for (RemoteCalls helper : helpers) {
      helper.task().exit(Deadline.in(STEP_BOUND));
    }
    owner.add("unmap the work areas", SyscallNumbers.MUNMAP, area, AREA_BYTES);
  }

  /** After a failure: the whole process ends with them. They must be reaped before its first thread can be. */
  private void kill() {
    for (RemoteCalls helper : helpers) {
      try {
        helper.task().kill(Deadline.in(STEP_BOUND));
      } catch (KernelException e) {
        // Gone already.
      }
    }
  }
}
