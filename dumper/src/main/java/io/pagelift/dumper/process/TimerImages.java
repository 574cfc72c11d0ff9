package io.pagelift.dumper.process;

import io.pagelift.image.IntervalTimer;
import io.pagelift.image.PosixTimer;
import io.pagelift.image.SignalAction;
import io.pagelift.image.Timers;
import io.pagelift.linux.Constants;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcTimers;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Makes the images of timers and signal actions out of the kernel's structures. */
final class TimerImages {
  private static final long MICROS = 1_000_000L;
  private static final long NANOS = 1_000_000_000L;
  private static final int ITIMER_REAL = 0;
  private static final int SIGEV_SIGNAL = 0;
  private static final int SIGEV_NONE = 1;
  private static final int SIGEV_THREAD = 2;
  private static final int SIGEV_THREAD_ID = 4;

  private TimerImages() {}

  static Timers timers(ProcessReading reading) {
    Timers.Builder timers = Timers.newBuilder();
    ByteBuffer intervals = reading.injected().intervalTimers();
    for (int which = 0; which < InjectedProcess.INTERVAL_TIMERS; which++) {
      int at = which * InjectedProcess.TIMER_BYTES;
      long intervalMicros = time(intervals, at, MICROS);
      long valueMicros = time(intervals, at + 16, MICROS);
      if (which == ITIMER_REAL && valueMicros == 0) {
        // The kernel starts ITIMER_REAL again only when its SIGALRM is taken off the queue, and says 0 while that is pending. Set
        // with 0 it would be disarmed, interval and all; it goes on one interval later.
        valueMicros = intervalMicros;
      }
      timers.addIntervalTimers(
          IntervalTimer.newBuilder().setWhich(which).setIntervalMicros(intervalMicros).setValueMicros(valueMicros));
    }
    ByteBuffer posix = reading.injected().posixTimers();
    for (int i = 0; i < reading.timers().size(); i++) {
      ProcTimers.Timer timer = reading.timers().get(i);
      int at = i * InjectedProcess.TIMER_BYTES;
      timers.addPosixTimers(
          PosixTimer.newBuilder()
              .setId(timer.id())
              .setClock(timer.clockId())
              .setSignal(timer.signal())
              .setSignalValue(timer.signalValue())
              .setNotify(notify(timer))
              .setNotifyTid(timer.toThread() ? timer.targetId() : 0)
              .setIntervalNanos(time(posix, at, NANOS))
              .setValueNanos(time(posix, at + 16, NANOS))
              .setOverrun(reading.injected().overruns().get(i)));
    }
    return timers.build();
  }

  private static int notify(ProcTimers.Timer timer) {
    int kind =
        switch (timer.notifyKind()) {
          case "none" -> SIGEV_NONE;
          case "thread" -> SIGEV_THREAD;
          default -> SIGEV_SIGNAL;
        };
    return timer.toThread() ? kind | SIGEV_THREAD_ID : kind;
  }

  /** The signals whose actions have to be asked for: those that are caught or ignored, and SIGCHLD for its flags. */
  static List<Integer> worthAsking(ProcStatus status) {
    long mask = status.mask("SigCgt") | status.mask("SigIgn") | 1L << (Constants.SIGCHLD - 1);
    List<Integer> signals = new ArrayList<>();
    for (int signal = 1; signal <= Constants.SIGNAL_COUNT; signal++) {
      if ((mask >>> (signal - 1) & 1) != 0) {
        signals.add(signal);
      }
    }
    return signals;
  }

  /** The actions that are not the default in every respect. Kernel's struct sigaction: handler, flags, restorer, mask. */
  static List<SignalAction> actions(InjectedProcess injected) {
    List<SignalAction> actions = new ArrayList<>();
    ByteBuffer words = injected.signalActions();
    for (int i = 0; i < injected.signals().size(); i++) {
      int at = i * InjectedProcess.ACTION_BYTES;
      SignalAction action =
          SignalAction.newBuilder()
              .setSignal(injected.signals().get(i))
              .setHandler(words.getLong(at))
              .setFlags(words.getLong(at + 8))
              .setRestorer(words.getLong(at + 16))
              .setMask(words.getLong(at + 24))
              .build();
      if (action.getHandler() != 0 || action.getFlags() != 0 || action.getMask() != 0) {
        actions.add(action);
      }
    }
    return actions;
  }

  /** Seconds and a fraction, as one number of fractions. */
  private static long time(ByteBuffer words, int at, long unit) {
    return words.getLong(at) * unit + words.getLong(at + 8);
  }
}
