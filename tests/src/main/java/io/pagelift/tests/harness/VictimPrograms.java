package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Compiles victims from {@code tests/src/test/c}, each once per change of its sources. */
public final class VictimPrograms {
  /** No victim: it kills dumpers, and has a main function and nothing else. */
  public static final String MARKSMAN = "marksman";

  /** No victim: it starts a program as on a kernel that lacks some system calls. */
  public static final String WITHOUT = "without";

  private static final Set<String> NO_VICTIMS = Set.of(MARKSMAN, WITHOUT);

  private VictimPrograms() {}

  /**
   * The executable of this victim.
   *
   * @throws IllegalStateException with the compiler's words
   */
  public static synchronized Path executable(String name) {
    Path sources = Home.victimSources();
    Path executable = Home.scratch().resolve("victims").resolve(name);
    List<Path> inputs = new ArrayList<>();
    try (Stream<Path> all = Files.list(sources)) {
      for (Path source : all.sorted().toList()) {
        String file = source.getFileName().toString();
        if (file.equals(name + ".c") || (file.equals("victim.c") && !NO_VICTIMS.contains(name)) || (file.startsWith(name + "_") && file.endsWith(".S"))) {
          inputs.add(source);
        }
      }
      if (Files.exists(executable) && newest(inputs, sources.resolve("victim.h")) <= Files.getLastModifiedTime(executable).toMillis()) {
        return executable;
      }
      Files.createDirectories(executable.getParent());
      compile(inputs, executable);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot compile the victim " + name, e);
    }
    return executable;
  }

  private static long newest(List<Path> inputs, Path header) throws IOException {
    long newest = Files.getLastModifiedTime(header).toMillis();
    for (Path input : inputs) {
      newest = Math.max(newest, Files.getLastModifiedTime(input).toMillis());
    }
    return newest;
  }

  private static void compile(List<Path> inputs, Path executable) throws IOException {
    Path log = executable.resolveSibling(executable.getFileName() + ".log");
    Path fresh = executable.resolveSibling(executable.getFileName() + ".fresh");
    List<String> command = new ArrayList<>(List.of("gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", fresh.toString()));
    inputs.forEach(input -> command.add(input.toString()));
    Process compiler = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      if (!compiler.waitFor(2, TimeUnit.MINUTES) || compiler.exitValue() != 0) {
        compiler.destroyForcibly();
        throw new IllegalStateException("The compiler refused a victim: " + String.join(" ", command) + "\n" + Files.readString(log));
      }
    } catch (InterruptedException e) {
      compiler.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while compiling " + executable, e);
    }
    // A new file each time: a program that still runs keeps the old one.
    Files.move(fresh, executable, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }
}
