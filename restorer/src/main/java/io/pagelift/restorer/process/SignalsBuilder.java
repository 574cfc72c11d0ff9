package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.SIGCHLD;
import static io.pagelift.linux.Constants.SIGKILL;
import static io.pagelift.linux.Constants.SIGNAL_COUNT;
import static io.pagelift.linux.Constants.SIGNAL_SET_BYTES;
import static io.pagelift.linux.Constants.SIGSTOP;

import io.pagelift.image.ProcessImage;
import io.pagelift.image.QueuedSignal;
import io.pagelift.image.SignalAction;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import io.pagelift.restorer.thread.ThreadBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Signal actions of a process and the signals queued for it. */
final class SignalsBuilder {
  private static final int ACTION_BYTES = 32;

  private SignalsBuilder() {}

  /** Queues all actions: those of the image, the default one for every other signal. */
  static void actions(RemoteCalls calls, ProcessImage process) {
    byte[][] actions = new byte[SIGNAL_COUNT + 1][];
    for (SignalAction action : process.getSignalActionsList()) {
      // The kernel's struct sigaction: handler, flags, restorer, mask.
      actions[action.getSignal()] =
          ByteBuffer.allocate(ACTION_BYTES)
              .order(ByteOrder.nativeOrder())
              .putLong(action.getHandler())
              .putLong(action.getFlags())
              .putLong(action.getRestorer())
              .putLong(action.getMask())
              .array();
    }
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
      if (signal != SIGKILL && signal != SIGSTOP) {
        byte[] action = actions[signal] == null ? new byte[ACTION_BYTES] : actions[signal];
        calls.add(
            "set the action of signal " + signal,
            SyscallNumbers.RT_SIGACTION,
            signal,
            calls.data(action),
            0,
            SIGNAL_SET_BYTES);
      }
    }
  }

  /**
   * Queues the process's signals again. The only ones that can be there already are SIGCHLDs of zombies that were made
   * meanwhile: they are taken away first.
   */
  static void queue(RemoteCalls calls, ProcessImage process) {
    // sigset, then a timespec of zero: do not wait.
    byte[] setAndTime = new byte[SIGNAL_SET_BYTES + 16];
    ByteBuffer.wrap(setAndTime).order(ByteOrder.nativeOrder()).putLong(0, 1L << (SIGCHLD - 1));
    long address = calls.data(setAndTime);
    calls.addOptional(SyscallNumbers.RT_SIGTIMEDWAIT, address, 0, address + SIGNAL_SET_BYTES, SIGNAL_SET_BYTES);
    for (QueuedSignal signal : process.getSharedPendingList()) {
      byte[] information = signal.getSiginfo().toByteArray();
      calls.add(
          "queue a signal",
          SyscallNumbers.RT_SIGQUEUEINFO,
          calls.pid(),
          ThreadBuilder.signalNumber(information),
          calls.data(information));
    }
  }
}
