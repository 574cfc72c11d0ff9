package io.pagelift.restorer.process;

import io.pagelift.image.ProcessImage;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.stub.StubTask;
import io.pagelift.restorer.remote.RemoteCalls;
import java.util.ArrayList;
import java.util.List;

/** A process that is being rebuilt and its threads. */
final class BuiltProcess {
  /** A thread of it. */
  static final class BuiltThread {
    private final ThreadImage image;
    private final RemoteCalls calls;
    private Registers registers;

    BuiltThread(ThreadImage image, StubTask task) {
      this.image = image;
      this.calls = new RemoteCalls(task);
      this.registers = Registers.of(image.getGeneralRegisters().toByteArray());
    }

    ThreadImage image() {
      return image;
    }

    RemoteCalls calls() {
      return calls;
    }

    StubTask task() {
      return calls.task();
    }

    /** What it will go on with. */
    Registers registers() {
      return registers;
    }

    void registers(Registers last) {
      this.registers = last;
    }
  }

  private final ProcessImage image;
  private final List<BuiltThread> threads = new ArrayList<>();

  /** A process whose first thread is this. */
  BuiltProcess(ProcessImage image, StubTask leader) {
    this.image = image;
    threads.add(new BuiltThread(image.getThreads(0), leader));
  }

  int pid() {
    return image.getPid();
  }

  ProcessImage image() {
    return image;
  }

  BuiltThread leader() {
    return threads.get(0);
  }

  /** Calls in its first thread. */
  RemoteCalls calls() {
    return leader().calls();
  }

  /** All threads, the leader first. */
  List<BuiltThread> threads() {
    return threads;
  }

  void add(BuiltThread thread) {
    threads.add(thread);
  }
}
