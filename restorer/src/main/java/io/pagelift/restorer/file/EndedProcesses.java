package io.pagelift.restorer.file;

import java.util.function.IntFunction;

/** Makes processes that will have ended, and been reaped, before the tree runs: open files may refer to such. */
public interface EndedProcesses {
  /**
   * Makes a process, calls {@code action} with its id, ends the process.
   *
   * @param pid the id that it must have; 0 for any
   * @param exitStatus how it ends, as wait4(2) tells it
   */
  <T> T whileAlive(int pid, int exitStatus, IntFunction<T> action);
}
