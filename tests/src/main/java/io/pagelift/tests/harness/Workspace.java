package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The directory and the processes of one test. Closing it ends every process that was started through it, and what was rebuilt from
 * one, by pid. The directory stays until the next run, so that the output of every command can be read after a failure.
 */
public final class Workspace implements AutoCloseable {
  private final Path directory;
  private final List<Running> commands = new ArrayList<>();
  private final List<Long> trees = new ArrayList<>();
  private int nextNumber;

  private Workspace(Path directory) {
    this.directory = directory;
  }

  /** An empty directory of this name below {@code tests/target/work}. */
  public static Workspace open(String name) {
    return at(Home.scratch().resolve("work").resolve(name.replaceAll("[^A-Za-z0-9._-]+", "-")));
  }

  /** Uses this directory, emptied first. */
  public static Workspace at(Path directory) {
    deleteRecursively(directory);
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Workspace(directory.toAbsolutePath());
  }

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /** Starts a command with no input and its streams in files of this directory. */
  public Running start(List<String> command) {
    nextNumber++;
    String base = String.format("%03d-%s", nextNumber, Path.of(command.get(0)).getFileName());
    Path out = directory.resolve(base + ".out");
    Path err = directory.resolve(base + ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      Running running = new Running(command, process, out, err);
      commands.add(running);
      return running;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start " + command, e);
    }
  }

  /** Starts {@code bin/NAME} with these arguments. */
  public Running startProgram(String name, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(Home.program(name).toString()));
    command.addAll(arguments);
    return start(command);
  }

  /** Runs {@code bin/NAME} to its end, at most two minutes. */
  public Finished runProgram(String name, String... arguments) {
    return startProgram(name, List.of(arguments)).await(Duration.ofMinutes(2));
  }

  /** Ends the tree below this pid when the workspace is closed. */
  void owns(long pid) {
    trees.add(pid);
  }

  @Override
  public void close() {
    for (Running command : commands) {
      if (command.running()) {
        command.kill();
      }
    }
    trees.forEach(ProcessFacts::killTree);
    for (Running command : commands) {
      if (command.running()) {
        command.await(Duration.ofMinutes(10));
      }
    }
  }

  private static void deleteRecursively(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> below = Files.walk(directory)) {
      for (Path path : below.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot empty " + directory, e);
    }
  }
}
