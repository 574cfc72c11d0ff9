package io.pagelift.linux.stub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TrackerHolderTest {
  private int target;
  private long startTimeTicks;

  @BeforeEach
  void startTarget() {
    target = Spawn.posixSpawn("/bin/sleep", List.of("sleep", "600"), SpawnActions.quiet());
    startTimeTicks = ProcTree.startTimeTicks(target);
  }

  @AfterEach
  void endTarget() {
    Spawn.killAndReap(target, soon());
    TrackerHolder.find(target, startTimeTicks).ifPresent(TrackerHolder::release);
  }

  private static Deadline soon() {
    return Deadline.inMillis(30_000);
  }

  private TrackerHolder spawn(String... contents) {
    List<FileDescriptor> files =
        List.of(contents).stream()
            .map(
                content -> {
                  FileDescriptor file = FileDescriptor.memfd("state", 0);
                  file.writeFully(content.getBytes(StandardCharsets.US_ASCII));
                  return file;
                })
            .toList();
    try {
      return TrackerHolder.spawn(target, startTimeTicks, files);
    } finally {
      files.forEach(FileDescriptor::close);
    }
  }

  @Test
  void whatItHoldsIsFoundAgainByTheTargetAlone() {
    TrackerHolder spawned = spawn("first", "second");
    TrackerHolder found = TrackerHolder.find(target, startTimeTicks).orElseThrow();
    assertThat(found).isEqualTo(spawned);
    for (int i = 0; i < 2; i++) {
      try (FileDescriptor fetched = found.fetch(i)) {
        assertThat(fetched.stat().sizeBytes()).isEqualTo(i == 0 ? 5 : 6);
      }
    }
    assertThat(TrackerHolder.find(target, startTimeTicks + 1)).isEmpty();
    assertThatThrownBy(() -> found.fetch(2)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void itHasNoOtherDescriptorNoTerminalAndNoDirectory() {
    TrackerHolder holder = spawn("one");
    Path descriptors = Path.of("/proc/" + holder.pid() + "/fd");
    assertThat(soon().await(() -> descriptors.toFile().list().length == 2)).isTrue();
    assertThat(descriptors.toFile().list()).containsExactlyInAnyOrder("3", "4");
    assertThat(soon().await(() -> ProcTree.name(holder.pid(), holder.pid()).equals("pagelift-holder"))).isTrue();
    assertThat(ProcTree.link(holder.pid(), "cwd")).isEqualTo("/");
  }

  @Test
  void itEndsWithTheTarget() {
    TrackerHolder holder = spawn("one");
    Spawn.killAndReap(target, soon());
    assertThat(soon().await(() -> ProcStatus.read(holder.pid()).state() == 'Z')).isTrue();
    assertThat(TrackerHolder.find(target, startTimeTicks)).isEmpty();
    assertThat(Spawn.waitFor(holder.pid(), soon()).exitCode()).isZero();
  }

  @Test
  void releasingEndsItAndIsHarmlessTwice() {
    TrackerHolder holder = spawn("one");
    holder.release();
    assertThat(TrackerHolder.find(target, startTimeTicks)).isEmpty();
    assertThat(Path.of("/proc/" + holder.pid())).doesNotExist();
    holder.release();
    assertThatThrownBy(() -> holder.fetch(0)).isInstanceOf(KernelException.class).hasMessageContaining("ESRCH");
  }

  @Test
  void aTargetThatIsNotTheOneMeantIsRefused() {
    assertThatThrownBy(() -> TrackerHolder.spawn(target, startTimeTicks + 1, List.of()))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("ESRCH");
  }
}
