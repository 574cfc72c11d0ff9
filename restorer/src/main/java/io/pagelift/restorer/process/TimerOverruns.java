package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.CLOCK_BOOTTIME;
import static io.pagelift.linux.Constants.CLOCK_MONOTONIC;
import static io.pagelift.linux.Constants.CLOCK_REALTIME;
import static io.pagelift.linux.Constants.CLOCK_TAI;
import static io.pagelift.linux.Constants.SIGNAL_SET_BYTES;

import io.pagelift.image.PosixTimer;
import io.pagelift.image.QueuedSignal;
import io.pagelift.linux.Clock;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.process.BuiltProcess.BuiltThread;
import io.pagelift.restorer.remote.RemoteCalls;
import io.pagelift.restorer.thread.ThreadBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Starts periodic POSIX timers whose last signal had overruns, so that timer_getoverrun(2) still tells them.
 *
 * <p>No call sets that count; the kernel makes it when a signal of the timer is taken, out of the intervals that have passed since
 * the timer expired. So such a timer is started in the past: its expiration is put as many intervals, and one more, before the next
 * one, at the very phase that it had. It expires at once; every signal is blocked; the signal is taken off the queue; and the timer
 * stands as it stood.
 *
 * <p>Not done where it would take a signal that belongs to the program, where the next expiration is so near that the count would be
 * replaced anyway, for clocks of processor time, and on a host that has not been up for so many intervals.
 */
final class TimerOverruns {
  private static final long NANOS = 1_000_000_000L;
  private static final long NEAR_NANOS = 50_000_000L;
  private static final int TIMER_ABSTIME = 1;
  private static final int SIGEV_NONE = 1;
  private static final int SIGEV_THREAD_ID = 4;
  private static final int SPEC_BYTES = 32;
  private static final long WAIT_SECONDS = 5;
  private static final Set<Integer> CLOCKS = Set.of(CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI);

  private TimerOverruns() {}

  /**
   * Starts those that it can.
   *
   * @return the ids of the timers that run now
   */
  static Set<Integer> start(BuiltProcess process) {
    Set<Integer> started = new HashSet<>();
    for (PosixTimer timer : process.image().getTimers().getPosixTimersList()) {
      if (timer.getOverrun() > 0 && timer.getIntervalNanos() > 0 && timer.getValueNanos() > NEAR_NANOS && start(process, timer)) {
        started.add(timer.getId());
      }
    }
    return started;
  }

  private static boolean start(BuiltProcess process, PosixTimer timer) {
    BuiltThread thread = receiver(process, timer);
    boolean signals = (timer.getNotify() & ~SIGEV_THREAD_ID) != SIGEV_NONE;
    if (!signals || !CLOCKS.contains(timer.getClock()) || thread == null || queued(process, thread, timer.getSignal())) {
      return false;
    }
    long intervals = timer.getOverrun() + 1L;
    if (intervals > Long.MAX_VALUE / 4 / timer.getIntervalNanos()) {
      return false;
    }
    long first = Clock.nanos(timer.getClock()) + timer.getValueNanos() - intervals * timer.getIntervalNanos();
    return first > 0 && start(thread.calls(), timer, first);
  }

  private static boolean start(RemoteCalls calls, PosixTimer timer, long firstNanos) {
    ByteBuffer spec = ByteBuffer.allocate(SPEC_BYTES).order(ByteOrder.nativeOrder());
    spec.putLong(timer.getIntervalNanos() / NANOS).putLong(timer.getIntervalNanos() % NANOS);
    spec.putLong(firstNanos / NANOS).putLong(firstNanos % NANOS);
    calls.call(
        "start timer " + timer.getId(),
        SyscallNumbers.TIMER_SETTIME,
        timer.getId(),
        TIMER_ABSTIME,
        calls.data(spec.array()),
        0);
    ByteBuffer wait = ByteBuffer.allocate(Long.BYTES + 2 * Long.BYTES).order(ByteOrder.nativeOrder());
    wait.putLong(1L << (timer.getSignal() - 1)).putLong(WAIT_SECONDS).putLong(0);
    long address = calls.data(wait.array());
    return calls.attempt(SyscallNumbers.RT_SIGTIMEDWAIT, address, 0, address + Long.BYTES, SIGNAL_SET_BYTES) == timer.getSignal();
  }

  /** The thread that can take the timer's signal off its queue. */
  private static @Nullable BuiltThread receiver(BuiltProcess process, PosixTimer timer) {
    if ((timer.getNotify() & SIGEV_THREAD_ID) == 0) {
      return process.leader();
    }
    return process.threads().stream()
        .filter(thread -> thread.image().getTid() == timer.getNotifyTid())
        .findFirst()
        .orElse(null);
  }

  /** Whether a signal of that number waits already: that one would be taken. */
  private static boolean queued(BuiltProcess process, BuiltThread thread, int signal) {
    return queued(process.image().getSharedPendingList(), signal) || queued(thread.image().getPendingList(), signal);
  }

  private static boolean queued(List<QueuedSignal> signals, int number) {
    return signals.stream().anyMatch(signal -> ThreadBuilder.signalNumber(signal.getSiginfo().toByteArray()) == number);
  }
}
