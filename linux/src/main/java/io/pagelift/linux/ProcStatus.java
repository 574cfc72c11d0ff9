package io.pagelift.linux;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code /proc/PID/status} or {@code /proc/PID/task/TID/status}, by the kernel's names, see {@code proc_pid_status(5)}.
 *
 * @param fields all values as text by their names
 */
public record ProcStatus(Map<String, String> fields) {
  /** Keeps its own copy. */
  public ProcStatus {
    fields = Map.copyOf(fields);
  }

  /** The raw text of a process. */
  public static byte[] readRaw(int pid) {
    return ProcFile.read("/proc/" + pid + "/status");
  }

  /** Reads a process's status. */
  public static ProcStatus read(int pid) {
    return parse(readRaw(pid));
  }

  /** Reads one thread's status. */
  public static ProcStatus read(int pid, int tid) {
    return parse(ProcFile.read("/proc/" + pid + "/task/" + tid + "/status"));
  }

  /** Parses the text. */
  public static ProcStatus parse(byte[] raw) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : ProcFile.lines(raw)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        fields.put(line.substring(0, colon), line.substring(colon + 1).trim());
      }
    }
    return new ProcStatus(fields);
  }

  /** A value as text, empty if this kernel does not have it. */
  public String text(String name) {
    return fields.getOrDefault(name, "");
  }

  /** A decimal value; {@code "12 kB"} gives 12. */
  public long number(String name) {
    return numbers(name).get(0);
  }

  /** Decimal values separated by blanks. */
  public List<Long> numbers(String name) {
    List<Long> numbers = new ArrayList<>();
    for (String word : text(name).split("\\s+", -1)) {
      if (!word.isEmpty() && Character.isDigit(word.charAt(0))) {
        numbers.add(Long.parseLong(word));
      }
    }
    return numbers;
  }

  /** A mask in hexadecimal: signals, capabilities. */
  public long mask(String name) {
    return Long.parseUnsignedLong(text(name), 16);
  }

  /** The state's letter: R, S, D, T (stopped), t (traced), Z (zombie), X. */
  public char state() {
    return text("State").charAt(0);
  }

  /** The process (thread group) id. */
  public int tgid() {
    return (int) number("Tgid");
  }

  /** The parent's id. */
  public int parentPid() {
    return (int) number("PPid");
  }

  /** The tracer's id, 0 if nobody traces it. */
  public int tracerPid() {
    return (int) number("TracerPid");
  }

  /** The file mode creation mask. */
  public int umask() {
    return Integer.parseInt(text("Umask"), 8);
  }

  /** Real, effective, saved and file system user id. */
  public List<Long> uids() {
    return numbers("Uid");
  }

  /** Real, effective, saved and file system group id. */
  public List<Long> gids() {
    return numbers("Gid");
  }

  /** Supplementary groups. */
  public List<Long> groups() {
    return numbers("Groups");
  }

  /** The process's id in each pid namespace, outermost first, ours being the first. */
  public List<Long> namespacePids() {
    return numbers("NSpid");
  }

  /** Number of threads. */
  public int threadCount() {
    return (int) number("Threads");
  }

  /** Signals waiting for this thread alone; bit 0 is signal 1. */
  public long pendingMask() {
    return mask("SigPnd");
  }

  /** Signals waiting for the whole process. */
  public long sharedPendingMask() {
    return mask("ShdPnd");
  }

  /** Blocked signals. */
  public long blockedMask() {
    return mask("SigBlk");
  }

  /** 0 without seccomp, 1 strict, 2 filter. */
  public int seccompMode() {
    return fields.containsKey("Seccomp") ? (int) number("Seccomp") : 0;
  }

  /** Whether no_new_privs is set. */
  public boolean noNewPrivileges() {
    return fields.containsKey("NoNewPrivs") && number("NoNewPrivs") != 0;
  }
}
