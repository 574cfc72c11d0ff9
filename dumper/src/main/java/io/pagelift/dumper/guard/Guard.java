package io.pagelift.dumper.guard;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ProcTree;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The dumper's end of its guard: the same program, started before the freeze, that takes over when its standard input ends. */
public final class Guard implements AutoCloseable {
  private static final String MAIN_CLASS = "io.pagelift.dumper.cli.DumperMain";
  private static final String COMMAND = "migrate";
  private static final long START_SECONDS = 60;
  private static final long ANSWER_SECONDS = 10;
  private static final int START_TIME_FIELD = 22;

  private final Process process;
  private final Writer toGuard;
  private final BufferedReader fromGuard;
  private boolean answering;

  private Guard(Process process) {
    this.process = process;
    toGuard = process.outputWriter(StandardCharsets.US_ASCII);
    fromGuard = process.inputReader(StandardCharsets.US_ASCII);
  }

  /**
   * Starts the guard; it needs some tenths of a second until {@link #rehearse} returns, so it is started early.
   *
   * @param log where it writes when the dumper is gone
   */
  public static Guard start(Path log) {
    List<String> own = ProcTree.commandLine(Kernel.pid());
    int main = own.indexOf(MAIN_CLASS);
    if (main < 0) {
      throw new PageliftException(ErrorCategory.INTERNAL, "The guard cannot be started: this program was not started by bin/dumper.");
    }
    List<String> command = new ArrayList<>(own.subList(0, main + 1));
    command.removeIf(word -> word.startsWith("-Dpagelift.fault="));
    List<String> words = new ArrayList<>(own.subList(main + 1, own.size()));
    // The command's own name is the first such word: an option that took one as its value would stand behind it.
    words.set(words.indexOf(COMMAND), "guard");
    command.addAll(words);
    try {
      return new Guard(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start());
    } catch (IOException e) {
      throw new PageliftException(ErrorCategory.EXHAUSTED, "The guard cannot be started (" + e.getMessage() + ").", e);
    }
  }

  /** Waits until it is up and has once done what it will have to do in the freeze. */
  public void rehearse() {
    int pid = Math.toIntExact(process.pid());
    watch(0, List.of(new GuardedProcess(pid, ProcTree.startTimeTicks(pid), true)), START_SECONDS);
  }

  /** Tells it which frozen processes it answers for, from now on. */
  public void watch(int round, List<FrozenProcess> frozen) {
    List<GuardedProcess> processes = new ArrayList<>();
    for (FrozenProcess one : frozen) {
      if (!one.zombie()) {
        long startTime = ProcStat.parse(one.rawStat()).field(START_TIME_FIELD);
        processes.add(new GuardedProcess(one.pid(), startTime, one.stopSignal() != 0));
      }
    }
    answering = true;
    watch(round, processes, ANSWER_SECONDS);
  }

  private void watch(int round, List<GuardedProcess> processes, long seconds) {
    tell(GuardLoop.WATCH + " " + round + " " + GuardedProcess.line(processes));
    CompletableFuture<String> answer = CompletableFuture.supplyAsync(this::answer);
    try {
      if (!GuardLoop.WATCHING.equals(answer.get(seconds, TimeUnit.SECONDS))) {
        throw new PageliftException(ErrorCategory.INTERNAL, "The guard ended; the log beside it says why.");
      }
    } catch (TimeoutException | ExecutionException e) {
      throw new PageliftException(ErrorCategory.EXHAUSTED, "The guard did not answer within " + seconds + " s.", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted while waiting for the guard.", e);
    }
  }

  private String answer() {
    try {
      return String.valueOf(fromGuard.readLine());
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** The server is about to be told that the tree will not run again by itself. */
  public void armed() {
    tell(GuardLoop.ARMED);
  }

  /** The tree is let go or ended: nothing is left to guard. */
  public void done() {
    answering = false;
    tell(GuardLoop.DONE);
  }

  private void tell(String line) {
    try {
      toGuard.write(line + "\n");
      toGuard.flush();
    } catch (IOException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "The guard has ended (" + e.getMessage() + ").", e);
    }
  }

  /** Lets it end when nothing is guarded; otherwise it takes over, as if this program had been killed. */
  @Override
  public void close() {
    try {
      if (!answering) {
        done();
      }
    } catch (PageliftException e) {
      // It has ended already.
    }
    try {
      toGuard.close();
      fromGuard.close();
    } catch (IOException e) {
      // The pipe to a process that has ended.
    }
  }
}
