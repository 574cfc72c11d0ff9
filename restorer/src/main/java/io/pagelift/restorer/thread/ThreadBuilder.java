package io.pagelift.restorer.thread;

import static io.pagelift.linux.Constants.PR_SET_NAME;
import static io.pagelift.linux.Constants.PR_SET_PDEATHSIG;
import static io.pagelift.linux.Constants.PR_SET_TIMERSLACK;

import io.pagelift.image.AlternateStack;
import io.pagelift.image.QueuedSignal;
import io.pagelift.image.Scheduling;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.memory.MemoryPolicies;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What a thread has for itself, set by calls that it makes itself, in two parts: before and after the process is complete. */
public final class ThreadBuilder {
  private static final int SS_ONSTACK = 1;
  private static final int SS_DISABLE = 2;
  private static final int IOPRIO_WHO_PROCESS = 1;
  private static final int SCHED_ATTR_BYTES = 48;
  private static final int SCHED_FIFO = 1;
  private static final int SCHED_RR = 2;
  private static final int SCHED_DEADLINE = 6;

  private ThreadBuilder() {}

  /** Queues what needs the memory only: stacks, lists and areas that the kernel is told of, name, scheduling. */
  public static void build(RemoteCalls calls, ThreadImage thread) {
    calls.add("set the address to clear at exit", SyscallNumbers.SET_TID_ADDRESS, thread.getClearChildTid());
    if (thread.getRobustListHead() != 0) {
      calls.add(
          "set the robust list",
          SyscallNumbers.SET_ROBUST_LIST,
          thread.getRobustListHead(),
          thread.getRobustListBytes());
    }
    if (thread.hasAlternateStack()) {
      alternateStack(calls, thread.getAlternateStack());
    }
    byte[] name = thread.getComm().toByteArray();
    calls.add("set the name", SyscallNumbers.PRCTL, PR_SET_NAME, calls.string(name), 0, 0, 0);
    if (thread.getTimerSlackNanos() != 0) {
      calls.add("set the timer slack", SyscallNumbers.PRCTL, PR_SET_TIMERSLACK, thread.getTimerSlackNanos(), 0, 0, 0);
    }
    if (thread.hasMemoryPolicy()) {
      MemoryPolicies.set(calls, thread.getMemoryPolicy());
    }
    if (thread.hasScheduling()) {
      schedule(calls, thread.getScheduling());
    }
  }

  private static void alternateStack(RemoteCalls calls, AlternateStack stack) {
    ByteBuffer bytes = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
    int flags = stack.getSizeBytes() == 0 ? SS_DISABLE : stack.getFlags() & ~SS_ONSTACK;
    bytes.putLong(stack.getAddress()).putInt(flags).putInt(0).putLong(stack.getSizeBytes());
    calls.add("set the alternate stack", SyscallNumbers.SIGALTSTACK, calls.data(bytes.array()), 0);
  }

  /** struct sched_attr of linux/sched/types.h, its first version. */
  private static void schedule(RemoteCalls calls, Scheduling scheduling) {
    int policy = scheduling.getPolicy();
    boolean realTime = policy == SCHED_FIFO || policy == SCHED_RR;
    boolean deadline = policy == SCHED_DEADLINE;
    ByteBuffer attributes = ByteBuffer.allocate(SCHED_ATTR_BYTES).order(ByteOrder.nativeOrder());
    attributes.putInt(SCHED_ATTR_BYTES).putInt(policy).putLong(scheduling.getFlags()).putInt(scheduling.getNice());
    attributes.putInt(realTime ? scheduling.getPriority() : 0);
    attributes.putLong(deadline ? scheduling.getDeadlineRuntimeNanos() : 0);
    attributes.putLong(deadline ? scheduling.getDeadlineNanos() : 0);
    attributes.putLong(deadline ? scheduling.getDeadlinePeriodNanos() : 0);
    calls.add("set the scheduling", SyscallNumbers.SCHED_SETATTR, 0, calls.data(attributes.array()), 0);
    if (!scheduling.getAffinity().isEmpty()) {
      byte[] mask = scheduling.getAffinity().toByteArray();
      calls.add("set the CPUs", SyscallNumbers.SCHED_SETAFFINITY, 0, mask.length, calls.data(mask));
    }
    if (scheduling.getIoPriority() != 0) {
      calls.add(
          "set the I/O priority", SyscallNumbers.IOPRIO_SET, IOPRIO_WHO_PROCESS, 0, scheduling.getIoPriority());
    }
  }

  /** Registers the rseq area; the kernel writes to it whenever the thread runs from now on. */
  public static void registerRseq(RemoteCalls calls, ThreadImage thread) {
    if (thread.hasRseq() && thread.getRseq().getAddress() != 0) {
      calls.add(
          "register the rseq area",
          SyscallNumbers.RSEQ,
          thread.getRseq().getAddress(),
          Integer.toUnsignedLong(thread.getRseq().getLengthBytes()),
          0,
          Integer.toUnsignedLong(thread.getRseq().getSignature()));
    }
  }

  /** Queues the thread's own signals again: every signal is blocked, so they wait for the final mask. */
  public static void queueSignals(RemoteCalls calls, ThreadImage thread) {
    for (QueuedSignal signal : thread.getPendingList()) {
      byte[] information = signal.getSiginfo().toByteArray();
      calls.add(
          "queue a signal",
          SyscallNumbers.RT_TGSIGQUEUEINFO,
          calls.pid(),
          thread.getTid(),
          signalNumber(information),
          calls.data(information));
    }
  }

  /** The signal of a siginfo. */
  public static int signalNumber(byte[] information) {
    return ByteBuffer.wrap(information).order(ByteOrder.nativeOrder()).getInt(0);
  }

  /** Queues what takes rights away: credentials, and what the kernel forgets when those change. */
  public static void restrict(RemoteCalls calls, ThreadImage thread, OwnCredentials own) {
    if (thread.hasCredentials()) {
      CredentialsBuilder.build(calls, thread.getCredentials(), own);
    }
    if (thread.getParentDeathSignal() != 0) {
      calls.add("set the parent death signal", SyscallNumbers.PRCTL, PR_SET_PDEATHSIG, thread.getParentDeathSignal(), 0, 0, 0);
    }
  }
}
