package io.pagelift.dumper.freeze;

import io.pagelift.dumper.facts.RawReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Since when threads sleep in calls with a time limit, noted shortly before a freeze.
 *
 * <p>The kernel keeps the end of an interrupted sleep in a restart block that nobody can read. But {@code
 * /proc/PID/task/TID/sched} says when the thread last got off the processor ({@code se.exec_start}, the scheduler's clock) and
 * how often it has. If in the freeze it has got off exactly once more (into our stop), it slept all the time between, and the
 * call began when it went to sleep.
 */
public final class SleepSamples {
  private final Map<Integer, Sample> byTid;

  /**
   * One thread.
   *
   * @param sleepsSinceMonotonicNanos when it last got off the processor, CLOCK_MONOTONIC
   * @param voluntarySwitches how often it went to sleep by itself, up to then
   * @param call the number of the call that it is in; what the program called, not restart_syscall(2)
   */
  public record Sample(long sleepsSinceMonotonicNanos, long voluntarySwitches, long call) {}

  private SleepSamples(Map<Integer, Sample> byTid) {
    this.byTid = byTid;
  }

  /** No samples. */
  static SleepSamples none() {
    return new SleepSamples(Map.of());
  }

  /** Samples every thread of some running processes. On kernels that do not tell (CONFIG_SCHED_DEBUG) there are none. */
  static SleepSamples take(RawReader reader, List<Integer> pids) {
    Map<Integer, Sample> samples = new HashMap<>();
    try (SchedulerClock clock = new SchedulerClock(reader)) {
      for (int pid : pids) {
        for (int tid : reader.numbers("/proc/" + pid + "/task")) {
          Sample sample = clock.sample("/proc/" + pid + "/task/" + tid);
          if (sample != null) {
            samples.put(tid, sample);
          }
        }
      }
    }
    return new SleepSamples(samples);
  }

  /** What was seen of a thread; {@code null} when it was not looked at. */
  public @Nullable Sample of(int tid) {
    return byTid.get(tid);
  }
}
