package io.pagelift.linux.stub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.Stop;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SeedProcessTest {
  private static final StubRegion REGION = StubRegion.at(0x2000_0000L);

  private final List<StubTask> tasks = new ArrayList<>();

  @AfterEach
  void endEverything() {
    for (int i = tasks.size() - 1; i >= 0; i--) {
      tasks.get(i).kill(soon());
    }
  }

  private static Deadline soon() {
    return Deadline.inMillis(30_000);
  }

  private StubTask seed() {
    return kept(SeedProcess.spawn(REGION, soon()));
  }

  private StubTask kept(StubTask task) {
    tasks.add(task);
    return task;
  }

  @Test
  void aSeedHasNothingButTheStubItsStackAndTheVdso() {
    StubTask seed = seed();
    List<MemoryMap> maps = ProcessMaps.parse(ProcessMaps.readRaw(seed.tracee().pid()));
    assertThat(maps)
        .allMatch(
            map ->
                (map.start() >= REGION.base() && map.end() <= REGION.end())
                    || map.path().equals("[stack]")
                    || map.path().startsWith("[v"));
    assertThat(Path.of("/proc/" + seed.tracee().pid() + "/fd").toFile().list()).isSubsetOf("0", "1", "2");
  }

  @Test
  void aBatchMakesItsCallsInOrderAndForwardsResults() {
    StubTask seed = seed();
    Batch batch = seed.executor().newBatch();
    long name = batch.string("proof".getBytes(StandardCharsets.US_ASCII));
    long text = batch.data("hello".getBytes(StandardCharsets.US_ASCII));
    long back = batch.reserve(5);
    int create = batch.require(SyscallNumbers.MEMFD_CREATE, name, 0);
    int moved = batch.require(SyscallNumbers.DUP2, 0, 77);
    int write = batch.require(SyscallNumbers.PWRITE64, 77, text, 5, 0);
    batch.require(SyscallNumbers.PREAD64, 77, back, 5, 0);
    batch.forwardResult(create, moved, 0);
    BatchResults results = seed.executor().run(batch, soon()).checkAll("the batch");
    assertThat(results.executed()).isEqualTo(4);
    assertThat(results.result(moved)).isEqualTo(77);
    assertThat(results.result(write)).isEqualTo(5);
    assertThat(seed.executor().read(back, 5)).isEqualTo("hello".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aBatchEndsAtTheFirstRequiredCallThatFails() {
    StubTask seed = seed();
    Batch batch = seed.executor().newBatch();
    int mayFail = batch.add(SyscallNumbers.CLOSE, 999);
    batch.require(SyscallNumbers.GETPID);
    int mustNot = batch.require(SyscallNumbers.CLOSE, 998);
    batch.require(SyscallNumbers.GETPID);
    BatchResults results = seed.executor().run(batch, soon());
    assertThat(results.executed()).isEqualTo(3);
    assertThat(results.result(mayFail)).isEqualTo(-Errno.EBADF);
    assertThat(results.result(1)).isEqualTo(seed.tracee().pid());
    assertThatThrownBy(() -> results.check(mustNot, "fd 998"))
        .isInstanceOf(KernelException.class)
        .hasMessage("close on fd 998 of process " + seed.tracee().pid() + " failed with EBADF");
  }

  @Test
  void aThousandCallsRunInOneBatch() {
    StubTask seed = seed();
    Batch batch = seed.executor().newBatch();
    for (int i = 0; i < 1000; i++) {
      batch.require(SyscallNumbers.GETPPID);
    }
    assertThat(seed.executor().run(batch, soon()).executed()).isEqualTo(1000);
  }

  @Test
  void processesAndThreadsAreMadeWithTheIdsAskedFor() {
    StubTask seed = seed();
    int wanted = unusedPid();
    StubTask child = kept(seed.cloneProcess(wanted, 0, Constants.SIGCHLD, soon()));
    assertThat(child.tracee().pid()).isEqualTo(wanted);
    assertThat(ProcStat.read(wanted).parentPid()).isEqualTo(seed.tracee().pid());
    assertThat(child.executor().call(soon(), SyscallNumbers.GETPID)).isEqualTo(wanted);

    int wantedTid = unusedPid();
    StubTask thread = kept(child.cloneThread(wantedTid, soon()));
    assertThat(thread.executor().call(soon(), SyscallNumbers.GETTID)).isEqualTo(wantedTid);
    assertThat(thread.executor().call(soon(), SyscallNumbers.GETPID)).isEqualTo(wanted);
    assertThat(ProcTree.threads(wanted)).containsExactlyInAnyOrder(wanted, wantedTid);

    StubTask sibling = kept(child.cloneProcess(0, Constants.CLONE_PARENT, 0, soon()));
    assertThat(ProcStat.read(sibling.tracee().pid()).parentPid()).isEqualTo(seed.tracee().pid());
  }

  @Test
  void aTakenPidIsRefusedByName() {
    StubTask seed = seed();
    int taken = seed.tracee().pid();
    assertThatThrownBy(() -> seed.cloneProcess(taken, 0, Constants.SIGCHLD, soon()))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("a new task with id " + taken)
        .hasMessageContaining("EEXIST");
  }

  @Test
  void aTaskGoesOnWithItsFinalRegistersAfterTheStubIsGone() {
    StubTask seed = seed();
    long page = seed.executor().call(soon(), SyscallNumbers.MMAP, 0x3000_0000L, 4096, 7, 0x32, -1, 0);
    assertThat(page).isEqualTo(0x3000_0000L);
    // mov $60, %eax; syscall: exits with what is in rdi.
    seed.executor().write(page, new byte[] {(byte) 0xb8, 60, 0, 0, 0, 0x0f, 0x05});
    Registers last = seed.tracee().registers().setRip(page).setRdi(43).setOrigRax(-1);
    seed.unmapRegion(soon());
    seed.tracee().setRegisters(last);
    seed.tracee().setSignalMask(0);
    seed.tracee().resume(0);
    assertThat(seed.tracee().awaitStop(soon())).isEqualTo(new Stop(Stop.Kind.EXITED, 43));
    tasks.clear();
  }

  /** A pid that was just free: of a process that has ended and been reaped. */
  private int unusedPid() {
    StubTask other = SeedProcess.spawn(REGION, soon());
    other.kill(soon());
    return other.tracee().pid();
  }
}
