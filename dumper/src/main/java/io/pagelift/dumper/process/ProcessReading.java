package io.pagelift.dumper.process;

import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.thread.InjectedThread;
import io.pagelift.dumper.thread.ThreadReading;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcLimits;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcTimers;
import io.pagelift.linux.ResourceLimit;
import io.pagelift.linux.ptrace.Tracee;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What was read of one live process in the freeze, all but its descriptors. */
public final class ProcessReading {
  private final FrozenProcess process;
  private final ProcessFacts facts;
  private final List<ProcTimers.Timer> timers;
  private final InjectedProcess injected;
  private final List<ThreadReading> threads = new ArrayList<>();
  private final List<byte[]> sharedPending;
  private final List<ResourceLimit> limits = new ArrayList<>();
  private final byte[] auxv;
  private final @Nullable FileStat exe;
  private final String oomScoreAdjustment;
  private final String coredumpFilter;
  private final String personality;

  private ProcessReading(RawReader reader, FrozenProcess process, ProcessFacts facts) {
    this.process = process;
    this.facts = facts;
    String place = "/proc/" + process.pid() + "/";
    timers = ProcTimers.parse(bytes(reader, place + "timers"));
    // Questions first, registers after: see ThreadReading.
    injected =
        InjectedProcess.ask(
            process.leader(), timers, TimerImages.worthAsking(status(facts, process.leader())), facts.maps());
    List<InjectedThread> answers = new ArrayList<>(List.of(injected.leader()));
    for (Tracee thread : process.threads().subList(1, process.threads().size())) {
      answers.add(InjectedProcess.askThread(thread));
    }
    for (int i = 0; i < answers.size(); i++) {
      Tracee thread = process.threads().get(i);
      threads.add(ThreadReading.read(reader, thread, status(facts, thread), answers.get(i)));
    }
    sharedPending = process.leader().pendingSignals(true);
    // Not by prlimit(2): of a process with other user ids that takes CAP_SYS_RESOURCE, which root in a container may lack.
    ProcLimits.parse(bytes(reader, place + "limits")).forEach(line -> limits.add(line.limit()));
    auxv = bytes(reader, place + "auxv");
    exe = reader.stat(place + "exe");
    oomScoreAdjustment = reader.text(place + "oom_score_adj").strip();
    coredumpFilter = reader.text(place + "coredump_filter").strip();
    personality = reader.text(place + "personality").strip();
  }

  /** Reads a stopped process; on the tracer thread. */
  public static ProcessReading read(RawReader reader, FrozenProcess process, ProcessFacts facts) {
    return new ProcessReading(reader, process, facts);
  }

  private static ProcStatus status(ProcessFacts facts, Tracee thread) {
    ProcStatus status = facts.statusByThread().get(thread.tid());
    if (status == null) {
      throw new KernelException("read", Errno.ESRCH, thread.pid(), "status of thread " + thread.tid());
    }
    return status;
  }

  private static byte[] bytes(RawReader reader, String name) {
    byte[] bytes = reader.file(name);
    return bytes == null ? new byte[0] : bytes;
  }

  FrozenProcess process() {
    return process;
  }

  /** What decided whether it can be carried over. */
  public ProcessFacts facts() {
    return facts;
  }

  List<ProcTimers.Timer> timers() {
    return timers;
  }

  InjectedProcess injected() {
    return injected;
  }

  /** Its threads, the leader first. */
  public List<ThreadReading> threads() {
    return threads;
  }

  List<byte[]> sharedPending() {
    return sharedPending;
  }

  List<ResourceLimit> limits() {
    return limits;
  }

  byte[] auxv() {
    return auxv;
  }

  @Nullable FileStat exe() {
    return exe;
  }

  String oomScoreAdjustment() {
    return oomScoreAdjustment;
  }

  String coredumpFilter() {
    return coredumpFilter;
  }

  String personality() {
    return personality;
  }
}
