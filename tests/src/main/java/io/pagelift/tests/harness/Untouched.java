package io.pagelift.tests.harness;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * All that can be seen from outside of a process that sets nothing of its own any more, and that a dumper must leave as it was:
 * mappings, descriptors and their flags, signal masks and actions, pending signals, credentials, scheduling, limits, timers,
 * children, and the vdso's image. What is not here is what changes by itself: sizes, counters, the state of a thread.
 *
 * @param mappings lines of {@code maps}
 * @param descriptors number to target and flags
 * @param files the text of small files in {@code /proc/PID}
 * @param threads by tid: the lines of {@code status} that hold still, and the scheduling fields of {@code stat}
 * @param vdsoImage the vdso without its zero tail
 */
public record Untouched(
    List<String> mappings,
    Map<Long, String> descriptors,
    Map<String, String> files,
    Map<Long, List<String>> threads,
    List<Long> children,
    ByteBuffer vdsoImage) {
  private static final Duration BOUND = Await.LONG;

  /** Sizes, counters, the state, and SigQ, which counts the signals of all processes of the user. */
  private static final Pattern VOLATILE = Pattern.compile("(Vm|Rss|State|TracerPid|SigQ|HugetlbPages|voluntary|nonvoluntary).*");

  private static final List<String> FILES =
      List.of("comm", "cmdline", "limits", "timers", "oom_score_adj", "coredump_filter", "cgroup", "personality", "timerslack_ns");

  /** Parent, group, session, terminal; priority, nice, threads; exit signal; real-time priority, policy. See proc(5), from 0. */
  private static final List<Integer> STAT_FIELDS = List.of(3, 4, 5, 6, 17, 18, 19, 37, 39, 40);

  /** Looks at a process. */
  public static Untouched of(long pid) {
    Map<Long, String> descriptors = new TreeMap<>();
    ProcessFacts.descriptors(pid)
        .forEach((number, target) -> descriptors.put(number, target + " " + flags(ProcessFacts.text(pid, "fdinfo/" + number))));
    Map<String, String> files = new TreeMap<>();
    FILES.forEach(file -> files.put(file, ProcessFacts.text(pid, file)));
    Map<Long, List<String>> threads = new TreeMap<>();
    for (long tid : ProcessFacts.threads(pid)) {
      List<String> lines = new ArrayList<>(ProcessFacts.text(pid, "task/" + tid + "/status").lines().toList());
      lines.removeIf(line -> VOLATILE.matcher(line).matches());
      List<String> stat = ProcessFacts.stat(pid, tid);
      STAT_FIELDS.forEach(field -> lines.add("stat " + field + ": " + (stat.size() > field ? stat.get(field) : "")));
      threads.put(tid, lines);
    }
    return new Untouched(
        ProcessFacts.mappings(pid), descriptors, files, threads, ProcessFacts.children(pid), VdsoPage.of(pid).image());
  }

  private static String flags(String fdInfo) {
    return fdInfo.lines().filter(line -> line.startsWith("flags:")).findFirst().orElse("gone");
  }

  /**
   * Waits until the process has no tracer, runs, and looks as it did; a thread may be on its way home from an injected call and
   * needs a moment to get there.
   *
   * @param when for the message
   * @throws AssertionError that shows what is different
   */
  public void expect(long pid, String when) {
    try {
      Await.until("process " + pid + " goes on untraced and unchanged after " + when, BOUND, () -> !held(pid) && of(pid).equals(this));
      String switches = switches(pid);
      Await.until("process " + pid + " gets on after " + when, BOUND, () -> !switches(pid).equals(switches));
    } catch (IllegalStateException e) {
      Untouched now = of(pid);
      throw new AssertionError(
          e.getMessage() + "\ntracers " + ProcessFacts.statusField(pid, "TracerPid") + ", states "
              + ProcessFacts.statusField(pid, "State") + "\nbefore " + this + "\nnow    " + now, e);
    }
  }

  private static boolean held(long pid) {
    return ProcessFacts.statusField(pid, "TracerPid").values().stream().anyMatch(tracer -> !tracer.equals("0"))
        || ProcessFacts.statusField(pid, "State").values().stream().anyMatch(state -> state.startsWith("T") || state.startsWith("t"));
  }

  private static String switches(long pid) {
    return ProcessFacts.statusField(pid, "voluntary_ctxt_switches").toString();
  }
}
