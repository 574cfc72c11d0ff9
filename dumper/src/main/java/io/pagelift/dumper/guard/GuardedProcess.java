package io.pagelift.dumper.guard;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.ProcTree;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One process of a guarded tree, and how it is written in a line.
 *
 * @param startTimeTicks tells it from another one that gets its pid
 * @param stoppedBefore a job-control stop had stopped it before the freeze: it must not be continued
 */
record GuardedProcess(int pid, long startTimeTicks, boolean stoppedBefore) {
  private static final int FIELDS = 3;

  static String line(List<GuardedProcess> processes) {
    return processes.stream()
        .map(process -> process.pid + ":" + process.startTimeTicks + ":" + (process.stoppedBefore ? "stopped" : "ran"))
        .collect(Collectors.joining(" "));
  }

  static List<GuardedProcess> parse(List<String> words) {
    List<GuardedProcess> processes = new ArrayList<>();
    for (String word : words) {
      String[] fields = word.split(":", -1);
      if (fields.length != FIELDS) {
        throw new PageliftException(ErrorCategory.USAGE, "The guard does not understand '" + word + "'; only the dumper starts it.");
      }
      processes.add(
          new GuardedProcess(Integer.parseInt(fields[0]), Long.parseLong(fields[1]), fields[2].equals("stopped")));
    }
    return processes;
  }

  boolean lives() {
    return ProcTree.exists(pid, startTimeTicks);
  }
}
