package io.pagelift.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A child process of a test that is killed and reaped at its end. */
final class Child implements AutoCloseable {
  static final Duration BOUND = Duration.ofSeconds(60);

  private final int pid;

  private Child(int pid) {
    this.pid = pid;
  }

  /** A process that sleeps. */
  static Child sleeping() {
    return of("/bin/sleep", "1000");
  }

  static Child of(String... argv) {
    return of(SpawnActions.quiet(), argv);
  }

  static Child of(SpawnActions actions, String... argv) {
    return of(argv[0], List.of(argv), actions);
  }

  static Child of(String program, List<String> argv, SpawnActions actions) {
    Child child = new Child(Spawn.posixSpawn(program, argv, actions));
    child.awaitArguments();
    return child;
  }

  // The kernel wakes the parent of a vfork before it writes the new program's arguments: until then the command line reads as empty.
  private void awaitArguments() {
    Deadline bound = bound();
    while (ProcTree.commandLine(pid).isEmpty() && ProcStat.read(pid).state() != 'Z') {
      if (bound.passed()) {
        close();
        throw new AssertionError("process " + pid + " has not loaded its program within " + BOUND);
      }
      Thread.onSpinWait();
    }
  }

  int pid() {
    return pid;
  }

  Deadline bound() {
    return Deadline.in(BOUND);
  }

  @Override
  public void close() {
    Spawn.killAndReap(pid, bound());
  }

  static void write(Path file, String text) {
    try {
      Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
