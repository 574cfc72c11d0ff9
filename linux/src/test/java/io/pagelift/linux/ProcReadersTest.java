package io.pagelift.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ProcReadersTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aThreadNameMayHoldAnything() {
    ProcStat stat = ProcStat.parse(bytes("12 (a) R (1\n2)) S 1 12 12 34816 -1 4194304 18446744073709551615\n"));
    assertThat(stat.pid()).isEqualTo(12);
    assertThat(stat.command()).isEqualTo("a) R (1\n2)");
    assertThat(stat.state()).isEqualTo('S');
    assertThat(stat.parentPid()).isEqualTo(1);
    assertThat(stat.terminalForegroundGroup()).isEqualTo(-1);
    assertThat(stat.field(10)).isEqualTo(-1);
    assertThat(stat.startBrk()).isZero();
  }

  @Test
  void theFieldsOfMemoryLieInTheirMappings() {
    try (Child child = Child.sleeping()) {
      assertThat(child.bound().await(() -> ProcStat.read(child.pid()).state() == 'S')).isTrue();
      ProcStat stat = ProcStat.read(child.pid());
      List<MemoryMap> maps = ProcessMaps.read(child.pid());
      assertThat(mapOf(maps, stat.startCode()).path()).endsWith("/sleep");
      assertThat(mapOf(maps, stat.startStack()).path()).isEqualTo("[stack]");
      assertThat(mapOf(maps, stat.startBrk()).path()).isEqualTo("[heap]");
      assertThat(mapOf(maps, stat.argStart()).path()).isEqualTo("[stack]");
      byte[] arguments = RemoteMemory.read(child.pid(), stat.argStart(), (int) (stat.argEnd() - stat.argStart()));
      assertThat(new String(arguments, StandardCharsets.UTF_8)).isEqualTo("/bin/sleep\0001000\0");
      assertThat(stat.envStart()).isEqualTo(stat.argEnd());
      assertThat(stat.endCode()).isGreaterThan(stat.startCode());
      assertThat(stat.endData()).isGreaterThanOrEqualTo(stat.startData());
      assertThat(stat.exitSignal()).isEqualTo(Constants.SIGCHLD);
    }
  }

  private static MemoryMap mapOf(List<MemoryMap> maps, long address) {
    return maps.stream().filter(map -> map.contains(address)).findFirst().orElseThrow();
  }

  @Test
  void theStatusOfAChildIsRead() {
    try (Child child = Child.of(SpawnActions.quiet().inNewSession(), "/bin/sleep", "1000")) {
      ProcStatus status = ProcStatus.read(child.pid());
      assertThat(status.tgid()).isEqualTo(child.pid());
      assertThat(status.parentPid()).isEqualTo(Kernel.pid());
      assertThat(status.tracerPid()).isZero();
      assertThat(status.threadCount()).isEqualTo(1);
      assertThat(status.uids()).hasSize(4);
      assertThat(status.blockedMask()).isZero();
      assertThat(status.mask("SigIgn")).isZero();
      assertThat(status.namespacePids()).contains((long) child.pid());
      assertThat(status.umask()).isBetween(0, 0777);
      ProcStat stat = ProcStat.read(child.pid(), child.pid());
      assertThat(stat.session()).isEqualTo(child.pid());
      assertThat(stat.processGroup()).isEqualTo(child.pid());
    }
  }

  @Test
  void statusValuesAreParsed() {
    ProcStatus status =
        ProcStatus.parse(
            bytes(
                """
                Name:\tx
                Umask:\t0027
                State:\tT (stopped)
                Groups:\t4 24 1000\s
                VmRSS:\t    1234 kB
                SigPnd:\t8000000000000001
                Seccomp:\t2
                NoNewPrivs:\t1
                """));
    assertThat(status.umask()).isEqualTo(027);
    assertThat(status.state()).isEqualTo('T');
    assertThat(status.groups()).containsExactly(4L, 24L, 1000L);
    assertThat(status.number("VmRSS")).isEqualTo(1234);
    assertThat(status.pendingMask()).isEqualTo(0x8000000000000001L);
    assertThat(status.seccompMode()).isEqualTo(2);
    assertThat(status.noNewPrivileges()).isTrue();
    assertThat(status.text("NoSuch")).isEmpty();
  }

  @Test
  void keysOfFdinfoThatComeOftenAreAllGiven() {
    ProcFdInfo info =
        ProcFdInfo.parse(
            bytes(
                """
                pos:\t5
                flags:\t02004002
                mnt_id:\t16
                tfd:        4 events:       19 data:                4  pos:0 ino:4be sdev:f
                tfd:        5 events:       19 data:                5  pos:0 ino:4bf sdev:f
                """));
    assertThat(info.positionBytes()).isEqualTo(5);
    assertThat(info.flags()).isEqualTo(02004002);
    assertThat(info.closeOnExec()).isTrue();
    assertThat(info.values("tfd")).hasSize(2).first().asString().startsWith("4 events:");
    assertThat(info.has("eventfd-count")).isFalse();
  }

  @Test
  void timersAreParsed() {
    assertThat(
            ProcTimers.parse(
                bytes(
                    """
                    ID: 1
                    signal: 60/00007fff86e452a8
                    notify: signal/pid.2634
                    ClockID: 0
                    ID: 7
                    signal: 34/ffffffffffffffff
                    notify: none/tid.2635
                    ClockID: -21
                    """)))
        .containsExactly(
            new ProcTimers.Timer(1, 60, 0x7fff86e452a8L, "signal", false, 2634, 0),
            new ProcTimers.Timer(7, 34, -1, "none", true, 2635, -21));
    assertThat(ProcTimers.read(Kernel.pid())).isEmpty();
  }

  @Test
  void limitsReadAsTextAreThoseOfPrlimit() {
    try (Child child = Child.sleeping()) {
      new ResourceLimit(77, 88).set(child.pid(), Constants.RLIMIT_NOFILE);
      List<ProcLimits.Line> lines = ProcLimits.read(child.pid());
      assertThat(lines).hasSize(ResourceLimit.COUNT);
      for (ProcLimits.Line line : lines) {
        // The text is in the order of the resources' numbers.
        assertThat(line.limit()).as(line.name()).isEqualTo(ResourceLimit.get(child.pid(), lines.indexOf(line)));
      }
      assertThat(lines.get(Constants.RLIMIT_NOFILE))
          .isEqualTo(new ProcLimits.Line("Max open files", new ResourceLimit(77, 88)));
    }
  }

  @Test
  void theAuxiliaryVectorPointsAtTheVdso() {
    Map<Long, Long> auxv = ProcAuxv.parse(ProcAuxv.readRaw(Kernel.pid()));
    assertThat(mapOf(ProcessMaps.read(Kernel.pid()), auxv.get(ProcAuxv.AT_SYSINFO_EHDR)).path()).isEqualTo("[vdso]");
    assertThat(auxv).containsEntry(6L, 4096L);
  }

  @Test
  void mountPointsComeWithoutTheirEscapes() {
    ProcMountInfo.Mount mount =
        ProcMountInfo.parse(
                bytes("36 35 98:1 /a\\040b /mnt\\134x\\012y rw,noatime master:1 shared:2 - ext4 /dev/root rw,errors=continue\n"))
            .get(0);
    assertThat(mount)
        .isEqualTo(
            new ProcMountInfo.Mount(
                36, 35, 98, 1, "/a b", "/mnt\\x\ny", "rw,noatime", "ext4", "/dev/root", "rw,errors=continue"));
    Stat proc = Stat.of("/proc");
    assertThat(ProcMountInfo.read(Kernel.pid()))
        .anySatisfy(
            each -> {
              assertThat((long) each.id()).isEqualTo(proc.mountId());
              assertThat(each.type()).isEqualTo("proc");
            });
    assertThat(FileSystemStat.of("/proc").type()).isEqualTo(FileSystemStat.PROC);
  }

  @Test
  void aTextThatIsCutOffIsRefused() {
    assertThatThrownBy(() -> ProcessMaps.parse(bytes("00400000-00401000 r--p 000")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void valuesAreWrittenAndReadBack() {
    try (Child child = Child.sleeping()) {
      String path = "/proc/" + child.pid() + "/oom_score_adj";
      ProcFile.write(path, "500");
      assertThat(ProcFile.value(path)).isEqualTo("500");
    }
  }

  @Test
  void childrenThreadsAndNamesAreListed() {
    try (Child child = Child.sleeping()) {
      int self = Kernel.pid();
      assertThat(ProcTree.children(self)).contains(child.pid());
      assertThat(ProcTree.threads(self)).contains(Kernel.tid()).hasSizeGreaterThan(1);
      assertThat(ProcTree.threads(child.pid())).containsExactly(child.pid());
      assertThat(ProcTree.pids()).contains(self, child.pid());
      assertThat(ProcTree.name(child.pid(), child.pid())).isEqualTo("sleep");
      assertThat(ProcTree.commandLine(child.pid())).containsExactly("/bin/sleep", "1000");
      assertThat(ProcTree.link(child.pid(), "exe")).endsWith("/sleep");
    }
  }

  @Test
  void aProcessIsKnownByItsStartTime() {
    int pid;
    long started;
    try (Child child = Child.sleeping()) {
      pid = child.pid();
      started = ProcTree.startTimeTicks(pid);
      assertThat(ProcTree.exists(pid, started)).isTrue();
      assertThat(ProcTree.exists(pid, started + 1)).isFalse();
    }
    assertThat(ProcTree.exists(pid, started)).isFalse();
    assertThat(ProcTree.children(pid, pid)).isEmpty();
  }

  @Test
  void aProcessIsFoundByItsFirstArgument() {
    String name = "pagelift test argument " + System.nanoTime();
    try (Child child = Child.of("/bin/sleep", List.of(name, "1000"), SpawnActions.quiet())) {
      assertThat(ProcTree.withFirstArgument(name)).containsExactly(child.pid());
      assertThat(ProcTree.environment(child.pid())).allMatch(variable -> variable.contains("="));
    }
  }

  @Test
  void fileNamesSurviveAsStrings() {
    byte[] all = new byte[255];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) (i + 1);
    }
    assertThat(FileNames.encode(FileNames.decode(all))).isEqualTo(all);
    for (String text : List.of("", "plain", "ü€😀\ud83d\ude00x", "a\u0800")) {
      assertThat(FileNames.decode(FileNames.encode(text))).isEqualTo(text);
    }
    // A surrogate spelled as three bytes of UTF-8 is not valid and must not turn into another spelling.
    byte[] spelled = {(byte) 0xed, (byte) 0xb2, (byte) 0x80};
    assertThat(FileNames.encode(FileNames.decode(spelled))).isEqualTo(spelled);
  }
}
