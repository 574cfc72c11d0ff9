package io.pagelift.dumper.freeze;

import io.pagelift.dumper.facts.RawReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Since when threads sleep, noted shortly before a freeze.
 *
 * <p>The kernel keeps the end of an interrupted sleep in a restart block that nobody can read. But {@code
 * /proc/PID/task/TID/sched} says when the thread last got off the processor ({@code se.exec_start}, the scheduler's clock) and
 * how often it has. If in the freeze it has got off exactly once more (into our stop), it slept all the time between, and the
 * call began when it went to sleep.
 */
public final class SleepSamples {
  private final Map<Integer, Sample> byTid;
  private final long schedulerAheadNanos;

  /**
   * One thread.
   *
   * @param sleepsSinceMonotonicNanos when it last got off the processor, CLOCK_MONOTONIC
   * @param voluntarySwitches how often it went to sleep by itself, up to then
   * @param involuntarySwitches how often it was preempted, up to then
   * @param call the first word of {@code /proc/PID/task/TID/syscall}: the number of the call that it is in; -1 for none
   */
  public record Sample(long sleepsSinceMonotonicNanos, long voluntarySwitches, long involuntarySwitches, long call) {}

  private SleepSamples(Map<Integer, Sample> byTid, long schedulerAheadNanos) {
    this.byTid = byTid;
    this.schedulerAheadNanos = schedulerAheadNanos;
  }

  /** No samples. */
  static SleepSamples none() {
    return new SleepSamples(Map.of(), 0);
  }

  /** Samples every thread of some running processes. */
  static SleepSamples take(RawReader reader, List<Integer> pids) {
    long aheadNanos = SchedulerClock.aheadOfMonotonicNanos(reader);
    Map<Integer, Sample> samples = new HashMap<>();
    for (int pid : pids) {
      for (int tid : reader.numbers("/proc/" + pid + "/task")) {
        String task = "/proc/" + pid + "/task/" + tid;
        Sample sample = SchedulerClock.sample(reader.text(task + "/sched"), reader.text(task + "/syscall"), aheadNanos);
        if (sample != null) {
          samples.put(tid, sample);
        }
      }
    }
    return new SleepSamples(samples, aheadNanos);
  }

  /** What was seen of a thread; {@code null} when it was not looked at. */
  public @Nullable Sample of(int tid) {
    return byTid.get(tid);
  }

  /** How far the scheduler's clock is ahead of CLOCK_MONOTONIC, negative when behind. */
  public long schedulerAheadNanos() {
    return schedulerAheadNanos;
  }
}
