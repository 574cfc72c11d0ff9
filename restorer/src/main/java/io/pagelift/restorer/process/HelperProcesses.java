package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.SIGCHLD;
import static io.pagelift.linux.Constants.SIGKILL;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.stub.StubTask;
import io.pagelift.restorer.file.EndedProcesses;
import io.pagelift.restorer.remote.RemoteCalls;
import java.time.Duration;
import java.util.function.IntFunction;

/** Children of the seed that live for a moment: they get numbers that nobody of the tree wants, since all of the tree is there. */
final class HelperProcesses implements EndedProcesses {
  private static final Duration STEP_BOUND = Duration.ofMinutes(1);

  private final StubTask seed;

  HelperProcesses(StubTask seed) {
    this.seed = seed;
  }

  @Override
  public <T> T whileAlive(int pid, int exitStatus, IntFunction<T> action) {
    StubTask helper = seed.cloneProcess(pid, 0, SIGCHLD, Deadline.in(STEP_BOUND));
    int made = helper.tracee().pid();
    try {
      return action.apply(made);
    } finally {
      end(helper, exitStatus);
      RemoteCalls calls = new RemoteCalls(seed);
      calls.addExpecting("reap helper process " + made, made, SyscallNumbers.WAIT4, made, 0, 0, 0);
      calls.flush();
    }
  }

  private static void end(StubTask helper, int exitStatus) {
    int signal = exitStatus & 0x7f;
    if (signal == SIGKILL) {
      helper.kill(Deadline.in(STEP_BOUND));
    } else if (signal != 0) {
      RemoteCalls calls = new RemoteCalls(helper);
      TreeCreation.forbidCore(calls);
      calls.flush();
      TreeCreation.dieBySignal(helper, signal);
    } else {
      TreeCreation.exit(new RemoteCalls(helper), exitStatus >>> 8 & 0xff);
    }
  }
}
