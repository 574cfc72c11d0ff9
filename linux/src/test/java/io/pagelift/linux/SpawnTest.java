package io.pagelift.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.linux.arch.Architecture;
import io.pagelift.linux.arch.PauseProgram;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpawnTest {
  @TempDir Path directory;

  private static String output(Map<String, String> environment, SpawnActions actions, String... argv) {
    try (Pipe pipe = Pipe.open(0)) {
      int pid =
          Spawn.posixSpawn(argv[0], List.of(argv), environment, actions.dup(pipe.writeEnd().number(), 1));
      pipe.writeEnd().close();
      StringBuilder text = new StringBuilder();
      try (NativeBuffer buffer = NativeBuffer.allocate(4096)) {
        int count;
        while ((count = pipe.readEnd().read(buffer.address(), 4096)) > 0) {
          byte[] bytes = new byte[count];
          buffer.bytes().get(bytes);
          text.append(new String(bytes, StandardCharsets.UTF_8));
        }
        WaitResult end = Spawn.waitFor(pid, Deadline.in(Child.BOUND));
        assertThat(end.exited()).as(end.toString()).isTrue();
        assertThat(end.exitCode()).isZero();
      } finally {
        Spawn.killAndReap(pid, Deadline.in(Child.BOUND));
      }
      return text.toString();
    }
  }

  @Test
  void argumentsEnvironmentAndDirectoryArrive() {
    String text =
        output(
            Map.of("GREETING", "grüß dich"),
            SpawnActions.quiet().changeDirectory(directory.toString()),
            "/bin/sh",
            "-c",
            "echo \"$GREETING|$1|$2\"; pwd",
            "sh",
            "",
            "two words");
    assertThat(text).isEqualTo("grüß dich||two words\n" + directory + "\n");
  }

  @Test
  void onlyNamedDescriptorsAreOpenInTheChild() {
    try (FileDescriptor kept = FileDescriptor.memfd("kept", 0);
        FileDescriptor notKept = FileDescriptor.memfd("not kept", 0)) {
      String text =
          output(Map.of(), SpawnActions.quiet().open(9, "/dev/zero", 0), "/bin/ls", "-l", "/proc/self/fd");
      assertThat(text).doesNotContain("kept").contains("9 -> /dev/zero");
      text = output(Map.of(), SpawnActions.quiet().dup(kept.number(), kept.number()), "/bin/ls", "-l", "/proc/self/fd");
      assertThat(text).contains("/memfd:kept").doesNotContain("/memfd:not kept");
      assertThat(notKept.isOpen()).isTrue();
    }
  }

  @Test
  void stepsAreDoneInTheirOrder() {
    try (FileDescriptor kept = FileDescriptor.memfd("kept", 0);
        Child child =
            Child.of(
                SpawnActions.quiet().dup(kept.number(), 30).closeFrom(3).open(40, "/dev/zero", 0).close(0),
                "/bin/sleep",
                "1000")) {
      assertThat(child.bound().await(() -> ProcTree.name(child.pid(), child.pid()).equals("sleep"))).isTrue();
      assertThat(ProcFdInfo.openDescriptors(child.pid())).contains(1, 2, 40).doesNotContain(0, 30);
    }
  }

  @Test
  void aProgramThatIsMissingIsReportedAtOnce() {
    assertThatThrownBy(() -> Spawn.posixSpawn("/no/such/program", List.of("x"), SpawnActions.none()))
        .hasMessage("posix_spawn on /no/such/program failed with ENOENT");
  }

  @Test
  void theEndOfAChildIsReported() {
    try (Child child = Child.of("/bin/sh", "-c", "exit 7")) {
      WaitResult end = Spawn.waitFor(child.pid(), child.bound());
      assertThat(end.exited()).isTrue();
      assertThat(end.exitCode()).isEqualTo(7);
    }
    try (Child child = Child.sleeping()) {
      assertThat(Spawn.waitFor(child.pid(), Constants.WNOHANG).nothing()).isTrue();
      assertThat(Spawn.kill(child.pid(), Constants.SIGTERM)).isZero();
      WaitResult end = Spawn.waitFor(child.pid(), child.bound());
      assertThat(end.killed()).isTrue();
      assertThat(end.killingSignal()).isEqualTo(Constants.SIGTERM);
      assertThat(end.stopped()).isFalse();
    }
  }

  @Test
  void aWaitEndsAtItsDeadline() {
    try (Child child = Child.sleeping()) {
      assertThat(Spawn.waitFor(child.pid(), Deadline.inMillis(5)).nothing()).isTrue();
    }
  }

  @Test
  void aChildThatIsGoneIsEchildToWaitForAndEsrchToKill() {
    Child child = Child.sleeping();
    child.close();
    assertThatThrownBy(() -> Spawn.waitFor(child.pid(), Constants.WNOHANG)).hasMessageContaining("ECHILD");
    assertThat(Spawn.kill(child.pid(), 0)).isEqualTo(Errno.ESRCH);
    child.close();
  }

  @Test
  void aProgramInMemoryRuns() {
    try (FileDescriptor program = FileDescriptor.memfd("program", 0)) {
      program.writeFully(PauseProgram.elf(Architecture.current()));
      int pid = Spawn.fexec(program, List.of("in memory"), Map.of(), SpawnActions.quiet());
      try {
        assertThat(ProcTree.link(pid, "exe")).isEqualTo("/memfd:program (deleted)");
        assertThat(Deadline.in(Child.BOUND).await(() -> ProcStat.read(pid).state() == 'S')).isTrue();
      } finally {
        Spawn.killAndReap(pid, Deadline.in(Child.BOUND));
      }
    }
  }

  @Test
  void aPidfdSeesTheEndAndFetchesDescriptors() {
    try (FileDescriptor file = FileDescriptor.memfd("given", 0);
        Child child = Child.of(SpawnActions.quiet().dup(file.number(), 42), "/bin/sleep", "1000");
        PidFd process = PidFd.open(child.pid());
        FileDescriptor fetched = process.fetch(42)) {
      assertThat(fetched.stat().sameFile(file.stat())).isTrue();
      assertThat(Kcmp.sameFile(Kernel.pid(), fetched.number(), Kernel.pid(), file.number())).isTrue();
      assertThatThrownBy(() -> process.fetch(4242)).hasMessageContaining("fd 4242 of process " + child.pid());
      assertThat(process.exited()).isFalse();
      process.sendSignal(Constants.SIGKILL);
      assertThat(process.awaitExit(child.bound())).isTrue();
      Spawn.killAndReap(child.pid(), child.bound());
      assertThatThrownBy(() -> process.sendSignal(Constants.SIGKILL)).hasMessageContaining("ESRCH");
    }
  }

  @Test
  void sharedObjectsAreToldFromEqualOnes() {
    int self = Kernel.pid();
    try (Child child = Child.sleeping();
        FileDescriptor one = FileDescriptor.open("/dev/null", 0);
        FileDescriptor two = FileDescriptor.open("/dev/null", 0)) {
      int order = Kcmp.compare(self, self, Kcmp.Type.FILE, one.number(), two.number());
      assertThat(order).isNotZero();
      assertThat(Kcmp.compare(self, self, Kcmp.Type.FILE, two.number(), one.number())).isEqualTo(-order);
      assertThat(Kcmp.same(self, child.pid(), Kcmp.Type.VM)).isFalse();
      assertThat(Kcmp.same(child.pid(), child.pid(), Kcmp.Type.FILES)).isTrue();
    }
  }

  @Test
  void epollTargetsAreComparedByFile() {
    int self = Kernel.pid();
    long created = Kernel.call(SyscallNumbers.EPOLL_CREATE1, Constants.O_CLOEXEC);
    try (FileDescriptor epoll = FileDescriptor.own((int) created, "epoll");
        Pipe pipe = Pipe.open(0);
        Pipe other = Pipe.open(0);
        NativeBuffer event = NativeBuffer.allocate(12)) {
      event.bytes().putInt(0, 1);
      int target = pipe.readEnd().number();
      Kernel.check(
          Kernel.call(SyscallNumbers.EPOLL_CTL, epoll.number(), 1, target, event.address()), "epoll_ctl", "");
      assertThat(Kcmp.epollTarget(self, target, self, epoll.number(), target, 0)).isZero();
      assertThat(Kcmp.epollTarget(self, other.readEnd().number(), self, epoll.number(), target, 0)).isNotZero();
      assertThat(Kcmp.epollTarget(self, target, self, epoll.number(), target + 1000, 0)).isEqualTo(-Errno.ENOENT);
    }
  }

  @Test
  void schedulingAndPrioritiesOfAChildAreReadAndSet() {
    try (Child child = Child.sleeping()) {
      SchedAttributes before = SchedAttributes.get(child.pid());
      new SchedAttributes(3, 0, 5, 0, 0, 0, 0, 0, 0).set(child.pid());
      SchedAttributes after = SchedAttributes.get(child.pid());
      assertThat(before.policy()).isZero();
      assertThat(after.policy()).isEqualTo(3);
      assertThat(after.nice()).isEqualTo(5);
      byte[] cpu0 = {1};
      SchedAttributes.setAffinity(child.pid(), cpu0);
      assertThat(SchedAttributes.affinity(child.pid())[0]).isEqualTo((byte) 1);
      assertThat(SchedAttributes.ioPriority(child.pid())).isNotNegative();
      assertThat(RobustList.of(child.pid()).lengthBytes()).isEqualTo(24);
      assertThat(Capabilities.of(child.pid())).isEqualTo(Capabilities.of(0));
      assertThat(Clock.nanos(Clock.cpuOfProcess(child.pid()))).isPositive();
    }
  }

  @Test
  void capabilitiesAreThoseOfTheStatusFile() {
    ProcStatus status = ProcStatus.read(Kernel.pid());
    Capabilities capabilities = Capabilities.of(0);
    assertThat(capabilities.effective()).isEqualTo(status.mask("CapEff"));
    assertThat(capabilities.permitted()).isEqualTo(status.mask("CapPrm"));
    assertThat(capabilities.inheritable()).isEqualTo(status.mask("CapInh"));
    assertThat(capabilities.has(Capabilities.SYS_PTRACE)).isEqualTo((status.mask("CapEff") >> 19 & 1) == 1);
  }
}
