package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What {@code /proc} says about a process, for tests that look at it from outside; see proc(5). */
public final class ProcessFacts {
  private ProcessFacts() {}

  /** Whether the process runs, sleeps or is stopped; a zombie does not count. */
  public static boolean alive(long pid) {
    return stat(pid).map(fields -> !fields.get(2).equals("Z") && !fields.get(2).equals("X")).orElse(false);
  }

  /** Whether the pid is taken, by a zombie too. */
  public static boolean taken(long pid) {
    return stat(pid).isPresent();
  }

  /** Field 22 of stat, in clock ticks since boot: tells a rebuilt process from the one before it. */
  public static long startTimeTicks(long pid) {
    return stat(pid).map(fields -> Long.parseLong(fields.get(21))).orElse(-1L);
  }

  /** Children of all threads of the process. */
  public static List<Long> children(long pid) {
    List<Long> children = new ArrayList<>();
    for (Path task : entries(Path.of("/proc/" + pid + "/task"))) {
      for (String child : read(task.resolve("children")).trim().split(" ", -1)) {
        if (!child.isEmpty()) {
          children.add(Long.valueOf(child));
        }
      }
    }
    return children;
  }

  /** Ends the process and all below it with SIGKILL; those that are gone already do not matter. */
  public static void killTree(long pid) {
    List<Long> below = children(pid);
    kill(pid);
    below.forEach(ProcessFacts::killTree);
  }

  /** Sends SIGKILL. */
  public static void kill(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
  }

  /** A field of {@code /proc/PID/task/TID/status} by name, for every thread: tid to value. */
  public static Map<Long, String> statusField(long pid, String name) {
    Map<Long, String> values = new TreeMap<>();
    for (Path task : entries(Path.of("/proc/" + pid + "/task"))) {
      for (String line : read(task.resolve("status")).split("\n", -1)) {
        if (line.startsWith(name + ":")) {
          values.put(Long.valueOf(task.getFileName().toString()), line.substring(name.length() + 1).trim());
        }
      }
    }
    return values;
  }

  /** The mappings, without what changes by itself: one line {@code range protection offset device inode path} each. */
  public static List<String> mappings(long pid) {
    return List.of(read(Path.of("/proc/" + pid + "/maps")).split("\n", -1));
  }

  /** Open descriptors: number to what {@code /proc/PID/fd} says that it is. */
  public static Map<Long, String> descriptors(long pid) {
    Map<Long, String> descriptors = new TreeMap<>();
    for (Path entry : entries(Path.of("/proc/" + pid + "/fd"))) {
      try {
        descriptors.put(Long.valueOf(entry.getFileName().toString()), Files.readSymbolicLink(entry).toString());
      } catch (IOException e) {
        // Closed between the listing and the look: it is not there.
      }
    }
    return descriptors;
  }

  /** The text of {@code /proc/PID/NAME}; empty when it is gone. */
  public static String text(long pid, String name) {
    return read(Path.of("/proc/" + pid).resolve(name));
  }

  /** The ids of its threads. */
  public static List<Long> threads(long pid) {
    List<Long> threads = new ArrayList<>();
    entries(Path.of("/proc/" + pid + "/task")).forEach(task -> threads.add(Long.valueOf(task.getFileName().toString())));
    threads.sort(null);
    return threads;
  }

  /** The fields of a thread's {@code stat}, from 0, the name without parentheses; empty when it is gone. */
  public static List<String> stat(long pid, long tid) {
    return fields(pid, read(Path.of("/proc/" + pid + "/task/" + tid + "/stat"))).orElse(List.of());
  }

  /** All pids that {@code /proc} lists now. */
  public static List<Long> pids() {
    List<Long> pids = new ArrayList<>();
    for (Path entry : entries(Path.of("/proc"))) {
      String name = entry.getFileName().toString();
      if (name.chars().allMatch(Character::isDigit)) {
        pids.add(Long.valueOf(name));
      }
    }
    return pids;
  }

  /** The resident set's largest size so far (VmHWM), in KiB; 0 when the process is gone. */
  public static long peakResidentKibibytes(long pid) {
    String value = statusField(pid, "VmHWM").getOrDefault(pid, "0 kB");
    return Long.parseLong(value.replace(" kB", "").trim());
  }

  /** Processor time that it has taken so far, user and kernel, in milliseconds (to ten of them); 0 when the process is gone. */
  public static long processorMillis(long pid) {
    return stat(pid).map(fields -> 10 * (Long.parseLong(fields.get(13)) + Long.parseLong(fields.get(14)))).orElse(0L);
  }

  /** The fields of stat, the command's name without parentheses as the second; empty when there is no such process. */
  private static Optional<List<String>> stat(long pid) {
    return fields(pid, read(Path.of("/proc/" + pid + "/stat")));
  }

  private static Optional<List<String>> fields(long pid, String text) {
    int nameEnd = text.lastIndexOf(')');
    if (nameEnd < 0) {
      return Optional.empty();
    }
    List<String> fields = new ArrayList<>(List.of(Long.toString(pid), text.substring(text.indexOf('(') + 1, nameEnd)));
    fields.addAll(List.of(text.substring(nameEnd + 2).trim().split(" ", -1)));
    return Optional.of(fields);
  }

  /** The file's text; empty when the process is gone. */
  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private static List<Path> entries(Path directory) {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(entries::add);
    } catch (IOException | UncheckedIOException | java.nio.file.DirectoryIteratorException e) {
      return entries; // The process ended meanwhile: what was seen so far.
    }
    return entries;
  }
}
