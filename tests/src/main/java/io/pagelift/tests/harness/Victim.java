package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A program to be moved. It runs in a session of its own, with no input and its output in a file, and is not a child of this JVM:
 * the JDK's reaper would take the stops that ptrace waits for. Its parent is the nearest subreaper above, {@code init} in general.
 *
 * <p>Victims written in C speak the protocol of {@code victim.h}: files {@code pid}, {@code stop} and {@code result}.
 */
public final class Victim {
  private final Workspace workspace;
  private final Path directory;
  private final long pid;
  private long startTimeTicks;

  private Victim(Workspace workspace, Path directory, long pid) {
    this.workspace = workspace;
    this.directory = directory;
    this.pid = pid;
    this.startTimeTicks = ProcessFacts.startTimeTicks(pid);
  }

  /** Compiles and starts a victim of {@code tests/src/test/c} and waits until it says that it is ready. */
  public static Victim start(Workspace workspace, String name, String... options) {
    Path directory = workspace.directory().resolve("victim");
    List<String> command = new ArrayList<>(List.of(VictimPrograms.executable(name).toString(), directory.toString()));
    command.addAll(List.of(options));
    return startCommand(workspace, directory, command);
  }

  /** Starts any command that writes its pid to the file {@code pid} of its work directory, {@code victim} in the workspace. */
  public static Victim startCommand(Workspace workspace, List<String> command) {
    return startCommand(workspace, workspace.directory().resolve("victim"), command);
  }

  private static Victim startCommand(Workspace workspace, Path directory, List<String> command) {
    try {
      Files.createDirectories(directory);
      List<String> detached = new ArrayList<>(List.of("setsid", "--fork"));
      detached.addAll(command);
      Process starter =
          new ProcessBuilder(detached)
              .directory(directory.toFile())
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(directory.resolve("out").toFile())
              .redirectError(directory.resolve("err").toFile())
              .start();
      starter.onExit().join();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start " + command, e);
    }
    Path pidFile = directory.resolve("pid");
    try {
      Await.until(command.get(0) + " is ready", Await.LONG, () -> Files.exists(pidFile) && !text(pidFile).isBlank());
    } catch (IllegalStateException e) {
      throw new IllegalStateException(e.getMessage() + " It said: " + text(directory.resolve("err")), e);
    }
    Victim victim = new Victim(workspace, directory, Long.parseLong(text(pidFile).trim()));
    workspace.owns(victim.pid);
    return victim;
  }

  /** Its pid, the same before and after a migration. */
  public long pid() {
    return pid;
  }

  /** Its work directory. */
  public Path directory() {
    return directory;
  }

  /** Whether it lives, here as the process that was started or as the one rebuilt from it. */
  public boolean alive() {
    return ProcessFacts.alive(pid);
  }

  /** Whether the process with the pid is another one than the last time that this returned true, or than the one started. */
  public boolean rebuilt() {
    long now = ProcessFacts.startTimeTicks(pid);
    if (now < 0 || !ProcessFacts.alive(pid) || now == startTimeTicks) {
      return false;
    }
    startTimeTicks = now;
    return true;
  }

  /**
   * Tells it to stop and to check itself.
   *
   * @return what it found broken, empty when nothing
   * @throws IllegalStateException when it ended without a result, or does not end
   */
  public List<String> finish() {
    return finish(Await.LONG);
  }

  /** As {@link #finish()} with another bound. */
  public List<String> finish(Duration bound) {
    Path result = directory.resolve("result");
    write(directory.resolve("stop"), "");
    try {
      Await.until("the victim's result", bound, () -> Files.exists(result) || !alive());
      if (!Files.exists(result)) {
        throw new IllegalStateException("The victim is gone without a result.");
      }
      Await.until("the victim's end", bound, () -> !alive());
    } catch (IllegalStateException e) {
      throw new IllegalStateException(e.getMessage() + " " + state(), e);
    }
    List<String> lines = text(result).lines().toList();
    return lines.equals(List.of("PASS")) ? List.of() : lines;
  }

  /** What can be said about it after a failure. */
  public String state() {
    return "Victim " + pid + (alive() ? " lives (state " + ProcessFacts.statusField(pid, "State") + ")" : " is gone")
        + ", standard error: " + text(directory.resolve("err")) + ", failures so far: " + text(directory.resolve("failures"));
  }

  /** The workspace that ends it. */
  Workspace workspace() {
    return workspace;
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
