package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A host of its own as far as process ids go: a pid namespace with its own /proc, on the same network and the same files. What runs in it
 * ends with it.
 */
public final class NamespaceHost {
  private final Workspace workspace;
  private final Running unshare;
  private final long init;

  private NamespaceHost(Workspace workspace, Running unshare, long init) {
    this.workspace = workspace;
    this.unshare = unshare;
    this.init = init;
  }

  /** Makes one; the workspace ends it. */
  public static NamespaceHost start(Workspace workspace) {
    String reaper = Home.root().resolve("target/reaper").toString();
    Running unshare =
        workspace.start(
            List.of("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", reaper, "sleep", "100000"));
    long[] init = new long[1];
    Await.until("the new pid namespace", Await.LONG, () -> {
      init[0] = ProcessHandle.of(unshare.pid()).stream().flatMap(ProcessHandle::children).mapToLong(ProcessHandle::pid).findFirst().orElse(0);
      return init[0] != 0 && new NamespaceHost(workspace, unshare, init[0]).run("test", "-e", "/proc/2").exitCode() == 0;
    });
    return new NamespaceHost(workspace, unshare, init[0]);
  }

  /** What stands before a command to run it in here, for scripts. */
  public String enterCommand() {
    return "nsenter -t " + init + " --pid --mount --";
  }

  /** Starts a command in it. */
  public Running start(String... command) {
    List<String> all =
        new ArrayList<>(List.of("nsenter", "-t", Long.toString(init), "--pid", "--mount", "--"));
    all.addAll(List.of(command));
    return workspace.start(all);
  }

  /** Runs a command in it to its end. */
  public Finished run(String... command) {
    return start(command).await(Await.LONG);
  }

  /** Starts {@code bin/NAME} in it, with a fault point when that is not empty, see {@code FaultPoint}. */
  public Running startProgram(String name, String fault, String... arguments) {
    List<String> command = new ArrayList<>();
    if (!fault.isEmpty()) {
      command.addAll(List.of("env", "PAGELIFT_JAVA_OPTIONS=-Dpagelift.fault=" + fault));
    }
    command.add(Home.program(name).toString());
    command.addAll(List.of(arguments));
    return start(command.toArray(String[]::new));
  }

  /**
   * Starts a victim in it whose pid is beyond those of the commands that come later.
   *
   * @return its pid there
   */
  public long startVictim(Path directory, String name, String... options) throws IOException {
    Files.createDirectories(directory);
    String command = VictimPrograms.executable(name) + " " + directory + " " + String.join(" ", options);
    String script =
        "echo 30000 > /proc/sys/kernel/ns_last_pid && exec setsid --fork " + command + " < /dev/null > " + directory + "/out 2> " + directory + "/err";
    Finished started = run("sh", "-c", script);
    if (started.exitCode() != 0) {
      throw new IllegalStateException(started.describe());
    }
    Path pidFile = directory.resolve("pid");
    Await.until(name + " is ready", Await.LONG, () -> Files.exists(pidFile) && read(pidFile).endsWith("\n"));
    return Long.parseLong(read(pidFile).trim());
  }

  /** Whether a process with this pid lives in it, and is no zombie. */
  public boolean lives(long pid) {
    return run("sh", "-c", "grep -q '^State:.[^ZX]' /proc/" + pid + "/status").exitCode() == 0;
  }

  /** Whether a process with this pid lives in it and is not stopped. */
  public boolean runs(long pid) {
    return run("sh", "-c", "grep -q '^State:.[RSD]' /proc/" + pid + "/status").exitCode() == 0;
  }

  /** Ends everything in it. */
  public void end() {
    unshare.kill();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
