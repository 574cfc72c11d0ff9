package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.CLONE_PARENT;
import static io.pagelift.linux.Constants.PR_SET_NAME;
import static io.pagelift.linux.Constants.SIGCHLD;
import static io.pagelift.linux.Constants.SIGKILL;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import io.pagelift.linux.stub.StubTask;
import io.pagelift.restorer.plan.CreationStep;
import io.pagelift.restorer.remote.RebuildFailure;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Creates the processes and threads of a tree as copies of the seed, with their numbers, parents, sessions and groups. All are
 * stopped, without descriptors, with every signal blocked.
 */
final class TreeCreation {
  private static final Duration STEP_BOUND = Duration.ofMinutes(1);

  private final TreeImage image;
  private final StubTask seed;
  private final Map<Integer, ProcessImage> images = new HashMap<>();
  private final Map<Integer, StubTask> tasks = new LinkedHashMap<>();
  private final Map<Integer, BuiltProcess> built = new LinkedHashMap<>();

  TreeCreation(TreeImage image, StubTask seed) {
    this.image = image;
    this.seed = seed;
    image.getProcessesList().forEach(process -> images.put(process.getPid(), process));
  }

  /** Every task that exists by now, for the case that they must all be ended. */
  List<StubTask> tasks() {
    List<StubTask> all = new ArrayList<>(tasks.values());
    built.values().forEach(process -> process.threads().stream().skip(1).forEach(thread -> all.add(thread.task())));
    return all;
  }

  /** Creates all; zombies have exited in the end. Returns those that live, parents before children. */
  List<BuiltProcess> create(List<CreationStep> steps) {
    steps.forEach(this::run);
    for (BuiltProcess process : built.values()) {
      for (ThreadImage thread : process.image().getThreadsList().subList(1, process.image().getThreadsCount())) {
        process.add(new BuiltProcess.BuiltThread(thread, createThread(process, thread.getTid())));
      }
    }
    image.getProcessesList().stream()
        .filter(process -> process.getState() == ProcessImage.State.ZOMBIE)
        .forEach(this::endZombie);
    return List.copyOf(built.values());
  }

  private void run(CreationStep step) {
    if (step instanceof CreationStep.Create create) {
      create(create);
    } else if (step instanceof CreationStep.NewSession) {
      call(step.pid(), "begin a session", step.pid(), SyscallNumbers.SETSID);
    } else if (step instanceof CreationStep.JoinGroup join) {
      call(step.pid(), "join process group " + join.group(), 0, SyscallNumbers.SETPGID, 0, join.group());
    } else if (step instanceof CreationStep.End end) {
      end(tasks.remove(end.pid()), end);
    }
  }

  private void create(CreationStep.Create create) {
    StubTask creator = create.creator() == 0 ? seed : tasks.get(create.creator());
    ProcessImage process = images.get(create.pid());
    // 0 is what an image has that does not say it of zombies; wait(2) does not see children of exit signal 0.
    int exitSignal = process == null || process.getExitSignal() == 0 ? SIGCHLD : process.getExitSignal();
    try {
      // With CLONE_PARENT the kernel takes the creator's exit signal and refuses another one.
      StubTask task =
          creator.cloneProcess(
              create.pid(),
              create.sibling() ? CLONE_PARENT : 0,
              create.sibling() ? 0 : exitSignal,
              Deadline.in(STEP_BOUND));
      tasks.put(create.pid(), task);
      if (process != null && process.getState() != ProcessImage.State.ZOMBIE) {
        built.put(create.pid(), new BuiltProcess(process, task));
      }
    } catch (KernelException e) {
      throw creationFailure(create.pid(), "process", e);
    }
  }

  private static PageliftException creationFailure(int number, String kind, KernelException e) {
    if (e.errno() == Errno.EEXIST) {
      return new PageliftException(
          ErrorCategory.REFUSED,
          "The number of " + kind + " " + number + " is taken here by something that began just now; try again.",
          e);
    }
    return RebuildFailure.of(number, "create " + kind + " " + number, e);
  }

  private static StubTask createThread(BuiltProcess process, int tid) {
    try {
      return process.leader().task().cloneThread(tid, Deadline.in(STEP_BOUND));
    } catch (KernelException e) {
      throw creationFailure(tid, "thread", e);
    }
  }

  private void call(int pid, String what, long expected, long number, long... arguments) {
    RemoteCalls calls = new RemoteCalls(tasks.get(pid));
    calls.addExpecting(what, expected, number, arguments);
    calls.flush();
  }

  private void end(StubTask temporary, CreationStep.End end) {
    temporary.kill(Deadline.in(STEP_BOUND));
    call(end.creator(), "reap temporary process " + end.pid(), end.pid(), SyscallNumbers.WAIT4, end.pid(), 0, 0, 0);
  }

  /** Lets a process exit, or be killed, as the image says; its parent does not reap it. */
  private void endZombie(ProcessImage process) {
    StubTask task = tasks.remove(process.getPid());
    RemoteCalls calls = new RemoteCalls(task);
    byte[] name = process.getComm().getBytes(StandardCharsets.UTF_8);
    calls.add("set the name", SyscallNumbers.PRCTL, PR_SET_NAME, calls.string(name), 0, 0, 0);
    forbidCore(calls);
    calls.flush();
    int signal = process.getExitStatus() & 0x7f;
    if (signal == SIGKILL) {
      task.kill(Deadline.in(STEP_BOUND));
    } else if (signal != 0) {
      dieBySignal(task, signal);
    } else {
      exit(calls, process.getExitStatus() >>> 8 & 0xff);
    }
  }

  /** RLIMIT_CORE 0: a process that dumped core did that at the source. */
  static void forbidCore(RemoteCalls calls) {
    calls.add("forbid a core file", SyscallNumbers.PRLIMIT64, 0, 4, calls.data(new byte[16]), 0);
  }

  static void exit(RemoteCalls calls, int code) {
    try {
      calls.call("exit", SyscallNumbers.EXIT_GROUP, code);
    } catch (PageliftException e) {
      Stop stop = calls.task().tracee().pollStop();
      if (stop == null || !stop.ended()) {
        throw e;
      }
    }
  }

  static void dieBySignal(StubTask task, int signal) {
    Tracee tracee = task.tracee();
    int pid = tracee.pid();
    tracee.setSignalMask(0);
    Spawn.kill(pid, signal);
    tracee.resume(0);
    Stop stop = tracee.awaitStop(Deadline.in(STEP_BOUND));
    while (!stop.ended()) {
      tracee.resume(stop.kind() == Stop.Kind.SIGNAL ? stop.number() : 0);
      stop = tracee.awaitStop(Deadline.in(STEP_BOUND));
    }
  }
}
