package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A command that runs, with its two streams in files. */
public final class Running {
  private final List<String> command;
  private final Process process;
  private final Path out;
  private final Path err;
  private final long startedNanos;
  private long peakResidentKibibytes;
  private long processorMillis;

  Running(List<String> command, Process process, Path out, Path err) {
    this.command = command;
    this.process = process;
    this.out = out;
    this.err = err;
    this.startedNanos = System.nanoTime();
  }

  /** The pid of the program itself: the start scripts become the JVM by exec. */
  public long pid() {
    return process.pid();
  }

  /** Whether it has not ended. */
  public boolean running() {
    return process.isAlive();
  }

  /** What it has written to standard output so far. */
  public String outSoFar() {
    return read(out);
  }

  /** What it has written to standard error so far. */
  public String errSoFar() {
    return read(err);
  }

  /** How long ago it was started. */
  public long elapsedMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos);
  }

  /** Whether it has a socket open now. */
  public boolean hasSocket() {
    return ProcessFacts.descriptors(pid()).values().stream().anyMatch(target -> target.startsWith("socket:"));
  }

  /** Sends SIGKILL. */
  public void kill() {
    process.destroyForcibly();
  }

  /** Sends SIGTERM. */
  public void terminate() {
    process.destroy();
  }

  /**
   * Waits for the end.
   *
   * @throws IllegalStateException after the bound; the command is killed first
   */
  public Finished await(Duration bound) {
    long end = startedNanos + bound.toNanos();
    try {
      while (!process.waitFor(5, TimeUnit.MILLISECONDS)) {
        peakResidentKibibytes = Math.max(peakResidentKibibytes, ProcessFacts.peakResidentKibibytes(process.pid()));
        processorMillis = Math.max(processorMillis, ProcessFacts.processorMillis(process.pid()));
        if (System.nanoTime() - end > 0) {
          process.destroyForcibly();
          process.waitFor(20, TimeUnit.SECONDS);
          throw new IllegalStateException(
              "Killed after " + bound.toSeconds() + " s: " + String.join(" ", command) + "\n" + outSoFar() + "\n" + errSoFar());
        }
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for " + command, e);
    }
    return new Finished(
        command, process.exitValue(), outSoFar(), errSoFar(), System.nanoTime() - startedNanos, peakResidentKibibytes, processorMillis);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
