package io.pagelift.linux;

import io.pagelift.linux.arch.Architecture;
import io.pagelift.linux.arch.PauseProgram;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The probes on another process: a child of one page that only sleeps, and is killed in the end. */
final class ChildProbe {
  private static final long SEIZE = 0x4206;
  private static final long INTERRUPT = 0x4207;
  private static final long GETREGSET = 0x4204;
  private static final long GET_RSEQ_CONFIGURATION = 0x420f;
  private static final long EXITKILL = 0x100000;
  private static final long NT_X86_XSTATE = 0x202;
  private static final int RSEQ_CONFIGURATION_BYTES = 24;
  private static final int INHERITED = 3;

  /** More than any processor's state today: 11 KiB with AMX. */
  private static final int EXTENDED_STATE_ROOM = 64 * 1024;

  private static final Duration STOP_BOUND = Duration.ofSeconds(30);

  private final int pid;

  private ChildProbe(int pid) {
    this.pid = pid;
  }

  /** Runs all probes; returns the size of the extended state, or 0. */
  static int run(FeatureProbe probes) {
    int pid;
    try (FileDescriptor program = FileDescriptor.memfd("pagelift-probe", 0)) {
      program.writeFully(PauseProgram.elf(Architecture.current()));
      SpawnActions actions = SpawnActions.quiet().dup(program.number(), INHERITED);
      pid = Spawn.fexec(program, List.of("pagelift-probe"), Map.of(), actions);
    } catch (KernelException e) {
      for (Feature feature : OF_CHILD) {
        probes.refuse(feature, e.getMessage());
      }
      return 0;
    }
    try {
      return new ChildProbe(pid).probe(probes);
    } finally {
      Spawn.killAndReap(pid, Deadline.in(STOP_BOUND));
    }
  }

  private static final List<Feature> OF_CHILD =
      List.of(
          Feature.PTRACE_SEIZE,
          Feature.RSEQ_CONFIGURATION,
          Feature.EXTENDED_STATE,
          Feature.PROCESS_VM,
          Feature.PROC_MEM_WRITE,
          Feature.MAP_FILES,
          Feature.PIDFD_OPEN,
          Feature.PIDFD_GETFD);

  private int probe(FeatureProbe probes) {
    probes.attempt(Feature.PIDFD_OPEN, () -> PidFd.open(pid).close());
    probes.attempt(
        Feature.PIDFD_GETFD,
        () -> {
          try (PidFd child = PidFd.open(pid)) {
            child.fetch(INHERITED).close();
          }
        });
    probes.attempt(Feature.PROCESS_VM, () -> RemoteMemory.read(pid, firstMapping().start(), 4));
    probes.attempt(Feature.PROC_MEM_WRITE, this::rewriteReadOnlyPage);
    probes.attempt(
        Feature.MAP_FILES, () -> ProcessMaps.openFile(pid, firstMapping(), Constants.O_RDONLY).close());
    probes.attempt(Feature.PTRACE_SEIZE, this::seizeAndStop);
    probes.attempt(Feature.RSEQ_CONFIGURATION, this::readRseqConfiguration);
    int[] stateBytes = new int[1];
    probes.attempt(Feature.EXTENDED_STATE, () -> stateBytes[0] = readExtendedState());
    return stateBytes[0];
  }

  private MemoryMap firstMapping() {
    return ProcessMaps.read(pid).get(0);
  }

  private void rewriteReadOnlyPage() {
    long address = firstMapping().start();
    try (RemoteMemory.MemFile memory = RemoteMemory.openMem(pid)) {
      memory.write(address, memory.read(address, 4));
    }
  }

  private void seizeAndStop() {
    ptrace(SEIZE, 0, EXITKILL);
    ptrace(INTERRUPT, 0, 0);
    WaitResult stop = Spawn.waitFor(pid, Deadline.in(STOP_BOUND));
    if (!stop.stopped()) {
      throw new KernelException("ptrace stop", Errno.ETIMEDOUT, pid, "");
    }
  }

  private void readRseqConfiguration() {
    ptrace(GET_RSEQ_CONFIGURATION, RSEQ_CONFIGURATION_BYTES, Scratch.ofThread().structAddress());
  }

  private int readExtendedState() {
    try (NativeBuffer memory = NativeBuffer.allocate(EXTENDED_STATE_ROOM)) {
      ByteBuffer vector = Scratch.ofThread().struct();
      vector.putLong(0, memory.address()).putLong(8, EXTENDED_STATE_ROOM);
      ptrace(GETREGSET, NT_X86_XSTATE, Scratch.ofThread().structAddress());
      return (int) vector.getLong(8);
    }
  }

  private void ptrace(long request, long address, long data) {
    long result = Kernel.call(SyscallNumbers.PTRACE, request, pid, address, data);
    Kernel.check(result, "ptrace 0x" + Long.toHexString(request), pid, "");
  }
}
