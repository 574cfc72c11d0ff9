package io.pagelift.dumper.process;

import io.pagelift.dumper.thread.InjectedThread;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcTimers;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.inject.WorkArea;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * What only the process itself can be asked, by calls injected into its main thread: one batch, together with the questions to
 * that thread.
 *
 * @param leader the main thread's answers
 * @param brk the end of the heap
 * @param dumpable PR_GET_DUMPABLE
 * @param childSubreaper PR_GET_CHILD_SUBREAPER
 * @param denyWriteExecute PR_GET_MDWE, 0 where the kernel has none
 * @param signals whose actions were asked for
 * @param signalActions the kernel's struct sigaction of each of them, 32 bytes each
 * @param intervalTimers struct itimerval of ITIMER_REAL, VIRTUAL and PROF, 32 bytes each
 * @param posixTimers struct itimerspec of each POSIX timer, 32 bytes each, in the order of /proc/PID/timers
 * @param overruns of each POSIX timer
 * @param memory of its address space
 */
record InjectedProcess(
    InjectedThread leader,
    long brk,
    int dumpable,
    boolean childSubreaper,
    int denyWriteExecute,
    List<Integer> signals,
    ByteBuffer signalActions,
    ByteBuffer intervalTimers,
    ByteBuffer posixTimers,
    List<Integer> overruns,
    InjectedMemory memory) {
  static final int ACTION_BYTES = 32;
  static final int TIMER_BYTES = 32;
  static final int INTERVAL_TIMERS = 3;
  private static final int PR_GET_MDWE = 66;
  private static final int CALL_BYTES = 64;
  private static final int FIXED_CALLS = 96;
  private static final int FIXED_DATA_BYTES = 8192;
  /** The last page of the work area stays untouched, and half of this is taken by the other half. */
  private static final int UNTOUCHED_BYTES = 2 * Kernel.PAGE_BYTES;

  /**
   * Asks a stopped process; on the tracer thread.
   *
   * @param signals whose actions to ask for; every question costs the freeze two stops
   * @param maps its mappings
   */
  static InjectedProcess ask(
      Tracee leader, List<ProcTimers.Timer> timers, List<Integer> signals, List<MemoryMap> maps) {
    long workBytes =
        FIXED_DATA_BYTES + (long) CALL_BYTES * (FIXED_CALLS + 2L * timers.size()) + (long) TIMER_BYTES * timers.size();
    try (LivingInjection injection = LivingInjection.open(leader)) {
      WorkArea area = injection.workArea(workBytes * 2 + UNTOUCHED_BYTES);
      return new Asking(injection, area, timers, signals).answers(maps);
    }
  }

  /** Asks a thread that is not the main one. */
  static InjectedThread askThread(Tracee thread) {
    try (LivingInjection injection = LivingInjection.open(thread)) {
      WorkArea area = injection.workArea(FIXED_DATA_BYTES);
      Batch batch = injection.newBatch();
      InjectedThread.Questions questions = new InjectedThread.Questions(batch);
      return questions.answers(injection, area, injection.runBatch(batch));
    }
  }

  private static final class Asking {
    private final LivingInjection injection;
    private final WorkArea area;
    private final Batch batch;
    private final List<Integer> signals;
    private final InjectedThread.Questions leader;
    private final InjectedMemory.Questions memory;
    private final int brk;
    private final int dumpable;
    private final int denyWriteExecute;
    private final int subreaper;
    private final long subreaperPlace;
    private final long actionsPlace;
    private final long intervalPlace;
    private final long posixPlace;
    private final List<Integer> required = new ArrayList<>();
    private final List<Integer> overruns = new ArrayList<>();

    Asking(
        LivingInjection injection, WorkArea area, List<ProcTimers.Timer> timers, List<Integer> signals) {
      this.signals = signals;
      this.injection = injection;
      this.area = area;
      this.batch = injection.newBatch();
      leader = new InjectedThread.Questions(batch);
      memory = new InjectedMemory.Questions(batch, area.address() + area.lengthBytes() - Kernel.PAGE_BYTES);
      brk = batch.add(SyscallNumbers.BRK, 0);
      dumpable = batch.add(SyscallNumbers.PRCTL, Constants.PR_GET_DUMPABLE, 0, 0, 0, 0);
      denyWriteExecute = batch.add(SyscallNumbers.PRCTL, PR_GET_MDWE, 0, 0, 0, 0);
      subreaperPlace = batch.reserve(Integer.BYTES);
      subreaper = batch.add(SyscallNumbers.PRCTL, Constants.PR_GET_CHILD_SUBREAPER, subreaperPlace, 0, 0, 0);
      actionsPlace = batch.reserve(signals.size() * ACTION_BYTES);
      for (int i = 0; i < signals.size(); i++) {
        long place = actionsPlace + (long) i * ACTION_BYTES;
        required.add(batch.add(SyscallNumbers.RT_SIGACTION, signals.get(i), 0, place, Constants.SIGNAL_SET_BYTES));
      }
      intervalPlace = batch.reserve(INTERVAL_TIMERS * TIMER_BYTES);
      for (int which = 0; which < INTERVAL_TIMERS; which++) {
        required.add(batch.add(SyscallNumbers.GETITIMER, which, intervalPlace + (long) which * TIMER_BYTES));
      }
      posixPlace = batch.reserve(timers.size() * TIMER_BYTES);
      for (int i = 0; i < timers.size(); i++) {
        int id = timers.get(i).id();
        required.add(batch.add(SyscallNumbers.TIMER_GETTIME, id, posixPlace + (long) i * TIMER_BYTES));
        overruns.add(batch.add(SyscallNumbers.TIMER_GETOVERRUN, id));
      }
    }

    InjectedProcess answers(List<MemoryMap> maps) {
      BatchResults results = injection.runBatch(batch);
      required.forEach(index -> results.check(index, "call " + index + " of the process's questions"));
      InjectedThread leaderAnswers = leader.answers(injection, area, results);
      return new InjectedProcess(
          leaderAnswers,
          results.result(brk),
          (int) results.check(dumpable, "PR_GET_DUMPABLE"),
          results.check(subreaper, "PR_GET_CHILD_SUBREAPER") == 0 && read(subreaperPlace, Integer.BYTES).getInt(0) != 0,
          (int) Math.max(0, results.result(denyWriteExecute)),
          signals,
          read(actionsPlace, signals.size() * ACTION_BYTES),
          read(intervalPlace, INTERVAL_TIMERS * TIMER_BYTES),
          read(posixPlace, overruns.size() * TIMER_BYTES),
          overruns.stream().map(index -> (int) Math.max(0, results.result(index))).toList(),
          // Last: it runs batches of its own in the same room.
          memory.answers(injection, area, results, maps));
    }

    private ByteBuffer read(long place, int lengthBytes) {
      byte[] bytes = lengthBytes == 0 ? new byte[0] : injection.read(place - area.address(), lengthBytes);
      return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }
  }
}
