package io.pagelift.dumper.freeze;

import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import org.jspecify.annotations.Nullable;

/** Reads {@code /proc/PID/task/TID/sched}, and how the scheduler's clock relates to CLOCK_MONOTONIC. */
final class SchedulerClock {
  private static final int TRIES = 5;
  private static final long NANOS_PER_MILLI = 1_000_000;

  private SchedulerClock() {}

  /**
   * The scheduler's clock minus CLOCK_MONOTONIC, measured at ourselves: sched_yield(2) makes the kernel note the time, which
   * our own {@code sched} file then shows. What passes between makes the difference too small, so the largest counts.
   */
  static long aheadOfMonotonicNanos(RawReader reader) {
    String own = "/proc/self/task/" + Kernel.tid() + "/sched";
    long largest = Long.MIN_VALUE;
    for (int i = 0; i < TRIES; i++) {
      long monotonicNanos = reader.clockNanos(Constants.CLOCK_MONOTONIC);
      Kernel.call(SyscallNumbers.SCHED_YIELD);
      long schedulerNanos = millisAsNanos(field(reader.text(own), "se.exec_start"));
      if (schedulerNanos > 0) {
        largest = Math.max(largest, schedulerNanos - monotonicNanos);
      }
    }
    return largest == Long.MIN_VALUE ? 0 : largest;
  }

  /** A sample of two texts; {@code null} when this kernel has no such file. */
  static SleepSamples.@Nullable Sample sample(String sched, String syscall, long aheadNanos) {
    long startNanos = millisAsNanos(field(sched, "se.exec_start"));
    String voluntary = field(sched, "nr_voluntary_switches");
    String involuntary = field(sched, "nr_involuntary_switches");
    if (startNanos <= 0 || voluntary == null || involuntary == null) {
      return null;
    }
    return new SleepSamples.Sample(
        startNanos - aheadNanos, Long.parseLong(voluntary), Long.parseLong(involuntary), number(syscall));
  }

  /** {@code 35 0x7ffe.. ...} for a blocked thread, {@code running} or {@code -1 ...} otherwise. */
  private static long number(String syscall) {
    int end = syscall.indexOf(' ');
    if (end <= 0) {
      return -1;
    }
    try {
      return Long.parseLong(syscall.substring(0, end));
    } catch (NumberFormatException e) {
      return -1;
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
