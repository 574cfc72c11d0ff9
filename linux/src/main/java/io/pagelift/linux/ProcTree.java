package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;

/** Processes, threads and their relations. What is listed while the processes run may be out of date at once. */
public final class ProcTree {
  private ProcTree() {}

  /** All processes that can be seen, ascending. */
  public static List<Integer> pids() {
    return ProcFile.numbers("/proc");
  }

  /** The threads of a process, ascending: the first is not always the leader. ENOENT if the process is gone. */
  public static List<Integer> threads(int pid) {
    return ProcFile.numbers("/proc/" + pid + "/task");
  }

  /**
   * The children of all threads of a process. The kernel's list is complete only while the children and the process itself are
   * stopped: read it again after freezing until nothing new comes.
   */
  public static List<Integer> children(int pid) {
    List<Integer> children = new ArrayList<>();
    for (int tid : threads(pid)) {
      children.addAll(children(pid, tid));
    }
    return children;
  }

  /** The children of one thread; none if the thread is gone. */
  public static List<Integer> children(int pid, int tid) {
    List<Integer> children = new ArrayList<>();
    String text;
    try {
      text = ProcFile.text("/proc/" + pid + "/task/" + tid + "/children");
    } catch (KernelException e) {
      if (e.processGone()) {
        return children;
      }
      throw e;
    }
    for (String word : text.split(" ", -1)) {
      if (!word.isBlank()) {
        children.add(Integer.parseInt(word.trim()));
      }
    }
    return children;
  }

  /** When the process started, in ticks after boot; see {@link ProcStat#startTimeTicks()}. */
  public static long startTimeTicks(int pid) {
    return ProcStat.read(pid).startTimeTicks();
  }

  /** Whether the process with this id is still the one that started then. A zombie exists. */
  public static boolean exists(int pid, long startTimeTicks) {
    try {
      return startTimeTicks(pid) == startTimeTicks;
    } catch (KernelException e) {
      if (e.processGone()) {
        return false;
      }
      throw e;
    }
  }

  /** The process's command line; empty for a zombie or a kernel thread. */
  public static List<String> commandLine(int pid) {
    return ProcFile.nulSeparated(ProcFile.read("/proc/" + pid + "/cmdline"));
  }

  /** The environment that the process was started with. */
  public static List<String> environment(int pid) {
    return ProcFile.nulSeparated(ProcFile.read("/proc/" + pid + "/environ"));
  }

  /** The processes whose first argument (argv[0]) is this. */
  public static List<Integer> withFirstArgument(String firstArgument) {
    List<Integer> found = new ArrayList<>();
    for (int pid : pids()) {
      try {
        List<String> arguments = commandLine(pid);
        if (!arguments.isEmpty() && arguments.get(0).equals(firstArgument)) {
          found.add(pid);
        }
      } catch (KernelException e) {
        if (!e.processGone()) {
          throw e;
        }
      }
    }
    return found;
  }

  /** The thread's name, {@code /proc/PID/task/TID/comm}, at most 15 bytes. */
  public static String name(int pid, int tid) {
    String text = ProcFile.text("/proc/" + pid + "/task/" + tid + "/comm");
    return text.substring(0, text.length() - 1);
  }

  /** Where {@code /proc/PID/NAME} points: exe, cwd, root, or a namespace such as {@code ns/pid}. */
  public static String link(int pid, String name) {
    return FileDescriptor.readLink("/proc/" + pid + "/" + name);
  }
}
