package io.pagelift.linux.stub;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_FIXED_NOREPLACE;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_EXEC;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;
import static io.pagelift.linux.Constants.PR_SET_PDEATHSIG;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.arch.Architecture;
import io.pagelift.linux.arch.StubCode;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchExecutor;
import io.pagelift.linux.ptrace.ProcessThreads;
import io.pagelift.linux.ptrace.PtraceOptions;
import io.pagelift.linux.ptrace.Tracee;
import java.util.List;
import java.util.Map;

/**
 * Makes the first process of a rebuilt tree out of a generated static ELF file in a memfd.
 *
 * <p>The program itself does nothing but sleep until it is seized. Then it maps the stub's region as anonymous memory, moves over
 * there and unmaps its own page: a mapping of the executable would keep PR_SET_MM_MAP from changing the exe link later.
 *
 * <p>Between spawning and seizing, a parent-death signal keeps the seed from outliving this program; from then on EXITKILL does.
 */
public final class SeedProcess {
  private static final String NAME = "pagelift-seed";
  private static final long MAX_DESCRIPTOR = 0xffff_ffffL;
  private static final int FIRST_OTHER_DESCRIPTOR = 3;
  private static final long REAP_MILLIS = 5_000;

  private SeedProcess() {}

  /**
   * Spawns a seed: a child of this process, seized (EXITKILL), stopped, all signals blocked, all signal actions default, no
   * descriptor but 0, 1 and 2 as they are here. Nothing is mapped but the stub's region, the stack that the kernel gave it, and
   * vdso with vvar.
   *
   * @param region where the stub goes; the page after it must be free too
   * @throws KernelException if a step fails; nothing is left behind
   */
  public static StubTask spawn(StubRegion region, Deadline deadline) {
    StubCode stubCode = Architecture.current().stubCode();
    byte[] code = stubCode.seed();
    long page = region.end();
    int pid;
    try (FileDescriptor program = ElfImage.memfd(NAME, ElfImage.bytes(page, code))) {
      pid = Spawn.fexec(program, List.of(NAME), Map.of(), SpawnActions.none());
    }
    try {
      Tracee tracee = Tracee.seize(pid, pid, PtraceOptions.OWNED);
      tracee.interrupt();
      ProcessThreads.stopped(tracee, deadline);
      tracee.setSignalMask(~0L);
      long instruction = page + ElfImage.CODE_OFFSET + stubCode.findSyscallInstruction(code);
      mapRegion(tracee, region, instruction, deadline);
      StubTask task = new StubTask(tracee, region);
      settle(task, page, deadline);
      return task;
    } catch (KernelException e) {
      Spawn.killAndReap(pid, Deadline.inMillis(REAP_MILLIS));
      throw e;
    }
  }

  private static void mapRegion(Tracee tracee, StubRegion region, long instruction, Deadline deadline) {
    long mapped =
        OwnedCalls.make(
            tracee,
            deadline,
            instruction,
            SyscallNumbers.MMAP,
            region.base(),
            region.lengthBytes(),
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
            -1,
            0);
    Kernel.check(mapped, "mmap", tracee.pid(), "the stub's region");
    RemoteMemory.write(tracee.pid(), region.base(), BatchExecutor.code());
    long done =
        OwnedCalls.make(
            tracee,
            deadline,
            instruction,
            SyscallNumbers.MPROTECT,
            region.base(),
            Kernel.PAGE_BYTES,
            PROT_READ | PROT_EXEC);
    Kernel.check(done, "mprotect", tracee.pid(), "the stub's code");
  }

  private static void settle(StubTask task, long page, Deadline deadline) {
    Batch batch = task.executor().newBatch();
    batch.require(SyscallNumbers.CLOSE_RANGE, FIRST_OTHER_DESCRIPTOR, MAX_DESCRIPTOR, 0);
    batch.require(SyscallNumbers.PRCTL, PR_SET_PDEATHSIG, 0);
    batch.require(SyscallNumbers.MUNMAP, page, Kernel.PAGE_BYTES);
    task.executor().run(batch, deadline).checkAll("the seed process");
  }
}
