package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;

/** {@code /proc/PID/timers}: the POSIX timers of a process. What is left of them is not here: inject timer_gettime. */
public final class ProcTimers {
  private ProcTimers() {}

  /**
   * One timer.
   *
   * @param id the kernel's id
   * @param signal the signal that it sends
   * @param signalValue the value (sigval) that goes with it
   * @param notifyKind {@code "signal"}, {@code "none"} or {@code "thread"}
   * @param toThread whether one thread gets the signal (SIGEV_THREAD_ID) rather than the process
   * @param targetId the id of that thread or process
   * @param clockId the clock, see clock_gettime(2)
   */
  public record Timer(
      int id, int signal, long signalValue, String notifyKind, boolean toThread, int targetId, int clockId) {}

  /** Reads a process's timers. */
  public static List<Timer> read(int pid) {
    return parse(ProcFile.read("/proc/" + pid + "/timers"));
  }

  /**
   * Parses the text. Each timer has four lines:
   *
   * <pre>
   * ID: 0
   * signal: 34/00007ffd8a3c0d20
   * notify: signal/tid.4711
   * ClockID: 1
   * </pre>
   */
  public static List<Timer> parse(byte[] raw) {
    List<String> lines = ProcFile.lines(raw);
    List<Timer> timers = new ArrayList<>();
    for (int i = 0; i + 3 < lines.size(); i += 4) {
      String signal = value(lines.get(i + 1), "signal:");
      String notify = value(lines.get(i + 2), "notify:");
      int slash = signal.indexOf('/');
      int kindEnd = notify.indexOf('/');
      int dot = notify.indexOf('.');
      timers.add(
          new Timer(
              Integer.parseInt(value(lines.get(i), "ID:")),
              Integer.parseInt(signal.substring(0, slash)),
              Long.parseUnsignedLong(signal.substring(slash + 1), 16),
              notify.substring(0, kindEnd),
              notify.startsWith("tid", kindEnd + 1),
              Integer.parseInt(notify.substring(dot + 1)),
              Integer.parseInt(value(lines.get(i + 3), "ClockID:"))));
    }
    return timers;
  }

  private static String value(String line, String key) {
    if (!line.startsWith(key)) {
      throw new IllegalArgumentException("/proc/PID/timers: expected " + key);
    }
    return line.substring(key.length()).trim();
  }
}
