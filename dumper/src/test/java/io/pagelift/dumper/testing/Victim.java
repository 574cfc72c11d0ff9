package io.pagelift.dumper.testing;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A C program, compiled for the test, running in a session of its own with its standard descriptors on files.
 *
 * <p>A victim that is ready prints a line; what it prints is found in its output file. All of its process group is killed by
 * its id in the end.
 */
public final class Victim implements AutoCloseable {
  private static final long PATIENCE_MILLIS = 60_000;

  private final int pid;
  private final Path directory;

  private Victim(int pid, Path directory) {
    this.pid = pid;
    this.directory = directory;
  }

  /** Compiles and starts a program, and waits until it has printed {@code ready}. */
  public static Victim start(String source, String... arguments) {
    try {
      Path directory = Files.createTempDirectory("victim");
      Path program = compile(directory, source);
      List<String> argv = new ArrayList<>(List.of(program.toString()));
      argv.addAll(List.of(arguments));
      return start(directory, program.toString(), argv);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts a shell script and waits until it has printed {@code ready}. */
  public static Victim shell(String script) {
    try {
      return start(Files.createTempDirectory("victim"), "/bin/sh", List.of("sh", "-c", script));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Victim start(Path directory, String program, List<String> argv) throws IOException {
    Path output = Files.createFile(directory.resolve("output"));
    SpawnActions actions =
        SpawnActions.none()
            .open(0, "/dev/null", Constants.O_RDONLY)
            .open(1, output.toString(), Constants.O_WRONLY | Constants.O_APPEND)
            .dup(1, 2)
            .closeFrom(3)
            .changeDirectory(directory.toString())
            .inNewSession();
    Victim victim = new Victim(Spawn.posixSpawn(program, argv, actions), directory);
    victim.awaitOutput("ready");
    return victim;
  }

  private static Path compile(Path directory, String source) throws IOException {
    Path code = Files.writeString(directory.resolve("victim.c"), source);
    Path program = directory.resolve("victim");
    Process gcc =
        new ProcessBuilder("gcc", "-O1", "-pthread", "-o", program.toString(), code.toString())
            .redirectErrorStream(true)
            .start();
    String messages = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (gcc.waitFor() != 0) {
        throw new IllegalStateException("gcc: " + messages);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return program;
  }

  /** The process id, also that of its session and process group. */
  public int pid() {
    return pid;
  }

  /** Where it runs. */
  public Path directory() {
    return directory;
  }

  /** Everything that it has printed. */
  public String output() {
    try {
      return Files.readString(directory.resolve("output"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file that it wrote into its directory. */
  public String text(String name) {
    try {
      return Files.readString(directory.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes an empty file in its directory, as a sign to it. */
  public void write(String name) {
    try {
      Files.createFile(directory.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until its output holds {@code text}. */
  public void awaitOutput(String text) {
    boolean seen = Deadline.inMillis(PATIENCE_MILLIS).await(() -> output().contains(text));
    if (!seen) {
      String output = output();
      close();
      throw new IllegalStateException("the victim did not print '" + text + "' but: " + output);
    }
  }

  /** A field of {@code /proc/PID/status}. */
  public static String status(int pid, String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith(field + ":")) {
          return line.substring(field.length() + 1).strip();
        }
      }
      return "";
    } catch (IOException e) {
      return "gone";
    }
  }

  @Override
  public void close() {
    Spawn.kill(-pid, Constants.SIGKILL);
    Spawn.killAndReap(pid, Deadline.inMillis(PATIENCE_MILLIS));
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
