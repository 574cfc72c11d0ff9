package io.pagelift.dumper.freeze;

import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.SchedAttributes;
import io.pagelift.linux.SyscallNumbers;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code /proc/PID/task/TID/sched}, and how the scheduler's clock relates to CLOCK_MONOTONIC.
 *
 * <p>The scheduler's clock of a processor leaves out what a hypervisor stole from it (and, in some configurations, interrupts),
 * so every processor has its own difference, which grows. It is measured on the processor that the sleeper ran on last, by
 * moving there for a moment. What was stolen during the sleep itself stays unknown; it makes the sleep seem shorter.
 */
final class SchedulerClock implements AutoCloseable {
  private static final int TRIES = 5;
  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final int PROCESSOR_FIELD = 39;
  private static final long LARGEST_CLOCK_ID = 4096;

  /** Calls whose time limit a restored thread gets back: see {@code InterruptedSleep}. */
  private static final Set<Long> TIMED_CALLS =
      Set.of(
          SyscallNumbers.POLL,
          SyscallNumbers.NANOSLEEP,
          SyscallNumbers.CLOCK_NANOSLEEP,
          SyscallNumbers.FUTEX,
          SyscallNumbers.EPOLL_WAIT,
          SyscallNumbers.EPOLL_PWAIT,
          SyscallNumbers.EPOLL_PWAIT2,
          SyscallNumbers.SEMTIMEDOP,
          SyscallNumbers.RT_SIGTIMEDWAIT,
          SyscallNumbers.RESTART_SYSCALL);

  private final RawReader reader;
  private final Map<Integer, Long> aheadNanosByProcessor = new HashMap<>();
  private final byte[] ownAffinity = SchedAttributes.affinity(0);

  SchedulerClock(RawReader reader) {
    this.reader = reader;
  }

  /** A sample of one thread; {@code null} when it sleeps in no such call, or the kernel does not tell. */
  SleepSamples.@Nullable Sample sample(String task) {
    String[] call = reader.text(task + "/syscall").split(" ", 3);
    if (call.length < 3 || call[0].startsWith("-") || call[0].startsWith("running")) {
      return null;
    }
    long number = Long.parseLong(call[0]);
    if (!TIMED_CALLS.contains(number)) {
      return null;
    }
    if (number == SyscallNumbers.RESTART_SYSCALL) {
      number = restarted(reader.text(task + "/stack"), Long.decode(call[1]));
    }
    byte[] stat = reader.file(task + "/stat");
    String sched = reader.text(task + "/sched");
    long startNanos = millisAsNanos(field(sched, "se.exec_start"));
    String voluntary = field(sched, "nr_voluntary_switches");
    if (number < 0 || stat == null || startNanos <= 0 || voluntary == null) {
      return null;
    }
    Long aheadNanos = aheadOfMonotonicNanos((int) ProcStat.parse(stat).field(PROCESSOR_FIELD));
    return aheadNanos == null
        ? null
        : new SleepSamples.Sample(startNanos - aheadNanos, Long.parseLong(voluntary), number);
  }

  /** Which call a thread in restart_syscall(2) is in, told by the names on its kernel stack; -1 when they do not tell. */
  private static long restarted(String stack, long firstArgument) {
    if (stack.contains("restart_poll")) {
      return SyscallNumbers.POLL;
    }
    if (stack.contains("futex_wait_restart")) {
      return SyscallNumbers.FUTEX;
    }
    if (!stack.isBlank()) {
      // The restart of a sleep leaves no name: do_nanosleep is hidden as a scheduler function, its caller is a tail call.
      // clock_nanosleep begins with a clock's small number, nanosleep with an address.
      boolean clock = firstArgument >= 0 && firstArgument < LARGEST_CLOCK_ID;
      return clock ? SyscallNumbers.CLOCK_NANOSLEEP : SyscallNumbers.NANOSLEEP;
    }
    return -1;
  }

  /**
   * The scheduler's clock of a processor minus CLOCK_MONOTONIC, measured at ourselves: sched_yield(2) makes the kernel note the
   * time, which our own {@code sched} file then shows. A delay between makes the difference too large, so the smallest counts.
   */
  private @Nullable Long aheadOfMonotonicNanos(int processor) {
    Long known = aheadNanosByProcessor.get(processor);
    if (known != null) {
      return known;
    }
    byte[] only = new byte[ownAffinity.length];
    if (processor / Byte.SIZE >= only.length) {
      return null;
    }
    only[processor / Byte.SIZE] = (byte) (1 << (processor % Byte.SIZE));
    try {
      SchedAttributes.setAffinity(0, only);
    } catch (KernelException e) {
      // A processor that we may not run on.
      return null;
    }
    String own = "/proc/self/task/" + Kernel.tid() + "/sched";
    long smallest = Long.MAX_VALUE;
    for (int i = 0; i < TRIES; i++) {
      long monotonicNanos = reader.clockNanos(Constants.CLOCK_MONOTONIC);
      Kernel.call(SyscallNumbers.SCHED_YIELD);
      smallest = Math.min(smallest, millisAsNanos(field(reader.text(own), "se.exec_start")) - monotonicNanos);
    }
    aheadNanosByProcessor.put(processor, smallest);
    return smallest;
  }

  /** Back to the processors that we may run on. */
  @Override
  public void close() {
    if (!aheadNanosByProcessor.isEmpty()) {
      SchedAttributes.setAffinity(0, ownAffinity);
    }
  }

  /** The value of a line like {@code se.exec_start   :   1242179.810068}. */
  private static @Nullable String field(String text, String name) {
    int at = text.indexOf("\n" + name + " ");
    if (at < 0) {
      return null;
    }
    int colon = text.indexOf(':', at);
    int end = text.indexOf('\n', colon);
    return colon < 0 || end < 0 ? null : text.substring(colon + 1, end).strip();
  }

  /** Milliseconds with six decimals, as nanoseconds. */
  private static long millisAsNanos(@Nullable String value) {
    if (value == null) {
      return 0;
    }
    int point = value.indexOf('.');
    return point < 0
        ? Long.parseLong(value) * NANOS_PER_MILLI
        : Long.parseLong(value.substring(0, point)) * NANOS_PER_MILLI + Long.parseLong(value.substring(point + 1));
  }
}
