package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.PR_TIMER_CREATE_RESTORE_IDS;

import io.pagelift.image.IntervalTimer;
import io.pagelift.image.PosixTimer;
import io.pagelift.image.ProcessImage;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RebuildFailure;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;

/** Interval and POSIX timers with what was left of them: made early, started late. */
final class TimersBuilder {
  private static final long NANOS = 1_000_000_000L;
  private static final long MICROS = 1_000_000L;
  private static final int SIGEVENT_BYTES = 64;

  /** How many timers are made and deleted on a kernel that can't be told the id. Ids count up from 0 in a process. */
  private static final int MAX_TRIES = 100_000;

  private TimersBuilder() {}

  /** Makes the POSIX timers with their ids. */
  static void create(RemoteCalls calls, ProcessImage process) {
    if (process.getTimers().getPosixTimersCount() == 0) {
      return;
    }
    boolean idsGiven = !Kernel.failed(calls.attempt(SyscallNumbers.PRCTL, PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0));
    for (PosixTimer timer : process.getTimers().getPosixTimersList()) {
      create(calls, timer, idsGiven);
    }
    if (idsGiven) {
      calls.add("end giving timer ids", SyscallNumbers.PRCTL, PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0);
    }
    calls.flush();
  }

  private static void create(RemoteCalls calls, PosixTimer timer, boolean idGiven) {
    String what = "create timer " + timer.getId();
    ByteBuffer event = ByteBuffer.allocate(SIGEVENT_BYTES + Integer.BYTES).order(ByteOrder.nativeOrder());
    event.putLong(timer.getSignalValue()).putInt(timer.getSignal()).putInt(timer.getNotify()).putInt(timer.getNotifyTid());
    event.putInt(SIGEVENT_BYTES, timer.getId());
    for (int i = 0; i < MAX_TRIES; i++) {
      long address = calls.data(event.array());
      long idAddress = address + SIGEVENT_BYTES;
      calls.call(what, SyscallNumbers.TIMER_CREATE, timer.getClock(), address, idAddress);
      int id = ByteBuffer.wrap(calls.read(idAddress, Integer.BYTES)).order(ByteOrder.nativeOrder()).getInt();
      if (id == timer.getId()) {
        return;
      }
      if (idGiven || id > timer.getId()) {
        break;
      }
      calls.call("delete a timer", SyscallNumbers.TIMER_DELETE, id);
    }
    throw RebuildFailure.of(calls.pid(), what, "this kernel gave it another id");
  }

  /** Queues the start of all timers but those POSIX timers that run already. */
  static void start(RemoteCalls calls, ProcessImage process, Set<Integer> started) {
    for (PosixTimer timer : process.getTimers().getPosixTimersList()) {
      if (timer.getValueNanos() != 0 && !started.contains(timer.getId())) {
        long address = calls.data(pairs(timer.getIntervalNanos(), timer.getValueNanos(), NANOS));
        calls.add("start timer " + timer.getId(), SyscallNumbers.TIMER_SETTIME, timer.getId(), 0, address, 0);
      }
    }
    for (IntervalTimer timer : process.getTimers().getIntervalTimersList()) {
      // A periodic ITIMER_REAL that has expired stands still, with nothing left, until its signal is delivered. The new one
      // is given a whole interval instead.
      long value = timer.getValueMicros() != 0 ? timer.getValueMicros() : timer.getIntervalMicros();
      if (value != 0) {
        long address = calls.data(pairs(timer.getIntervalMicros(), value, MICROS));
        calls.add("start interval timer " + timer.getWhich(), SyscallNumbers.SETITIMER, timer.getWhich(), address, 0);
      }
    }
  }

  /** struct itimerspec or itimerval: interval, then value, each as seconds and fraction. */
  private static byte[] pairs(long interval, long value, long unit) {
    return ByteBuffer.allocate(32)
        .order(ByteOrder.nativeOrder())
        .putLong(interval / unit)
        .putLong(interval % unit)
        .putLong(value / unit)
        .putLong(value % unit)
        .array();
  }
}
