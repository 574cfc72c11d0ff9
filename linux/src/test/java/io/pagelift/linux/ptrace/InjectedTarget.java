package io.pagelift.linux.ptrace;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** The program {@code injected.c}, running: a target that checks itself. */
public final class InjectedTarget implements AutoCloseable {
  private static final long STATE = 0x1000_0000L;
  private static final int TOUCHED = 11;

  private final int pid;
  private final Facts before;

  /** What an injection must leave as it was. */
  record Facts(String maps, Set<String> descriptors, String blocked, String caught, List<Integer> threads) {
    static Facts of(int pid) {
      ProcStatus status = ProcStatus.read(pid);
      return new Facts(
          new String(ProcessMaps.readRaw(pid), StandardCharsets.UTF_8),
          Set.of(names("/proc/" + pid + "/fd")),
          Long.toHexString(status.blockedMask()),
          status.text("SigCgt"),
          ProcTree.threads(pid));
    }

    private static String[] names(String directory) {
      String[] names = Path.of(directory).toFile().list();
      return names == null ? new String[0] : names;
    }
  }

  private InjectedTarget(int pid) {
    this.pid = pid;
    awaitRounds(2);
    this.before = Facts.of(pid);
  }

  /** Compiles the program. */
  public static Path compile(Path directory) throws IOException, InterruptedException {
    Path program = directory.resolve("injected");
    Process gcc =
        new ProcessBuilder("gcc", "-std=gnu11", "-O1", "-pthread", "-no-pie", "-o", program.toString(),
                "src/test/c/injected.c")
            .inheritIO()
            .start();
    assertThat(gcc.waitFor()).isZero();
    return program;
  }

  /** Starts it and waits until it is at work. */
  public static InjectedTarget start(Path program, String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "injected";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return new InjectedTarget(Spawn.posixSpawn(program.toString(), Arrays.asList(all), SpawnActions.quiet()));
  }

  /** Its process id. */
  public int pid() {
    return pid;
  }

  /** Its rounds so far. */
  public long rounds() {
    return word(0);
  }

  /** Signals that it handled so far. */
  public long signals() {
    return word(2);
  }

  private long word(int index) {
    byte[] bytes = RemoteMemory.read(pid, STATE + index * 8L, 8);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /** Changes the word that its restartable sequence reads. */
  public void touch() {
    byte[] next = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(word(TOUCHED) + 1).array();
    RemoteMemory.write(pid, STATE + TOUCHED * 8L, next);
  }

  private void awaitRounds(long rounds) {
    boolean came =
        Deadline.inMillis(30_000)
            .await(
                () -> {
                  try {
                    return rounds() >= rounds;
                  } catch (RuntimeException e) {
                    return false;
                  }
                });
    assertThat(came).as("rounds of process %s", pid).isTrue();
  }

  /** Asserts that it goes on as if nothing had happened, and has nothing of ours. */
  public void assertUntouched(String when) {
    assertRunning(when);
    boolean[] same = {false};
    // A handler that runs at this moment has its own signal blocked.
    Deadline.inMillis(30_000).await(() -> same[0] = Facts.of(pid).equals(before));
    if (!same[0]) {
      assertThat(Facts.of(pid)).as("facts of the target %s", when).isEqualTo(before);
    }
  }

  /** Asserts that it goes on, untraced, and found nothing wrong. */
  public void assertRunning(String when) {
    boolean free =
        Deadline.inMillis(30_000).await(() -> ProcStatus.read(pid).tracerPid() == 0);
    assertThat(free).as("no tracer %s", when).isTrue();
    awaitRounds(rounds() + 2);
    assertThat(word(1)).as("what the target found wrong %s", when).isZero();
  }

  @Override
  public void close() {
    Spawn.killAndReap(pid, Deadline.inMillis(30_000));
  }
}
