package io.pagelift.linux;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * Child processes that the JDK knows nothing of.
 *
 * <p>The JDK's reaper thread waits for the children of {@link ProcessBuilder} and swallows the ptrace stops of such a child;
 * these children are started with {@code posix_spawn(3)} and waited for here. Whoever spawns a child must wait for its end, or it
 * stays a zombie for as long as this JVM lives. Children start with no signal blocked and all signal actions at their default.
 */
public final class Spawn {
  // posix_spawnattr_setflags, from <spawn.h>.
  private static final short SET_PROCESS_GROUP = 0x02;
  private static final short SET_SIGNAL_DEFAULTS = 0x04;
  private static final short SET_SIGNAL_MASK = 0x08;
  private static final short SET_SESSION = 0x80;

  /** More than sizeof(posix_spawnattr_t), 336 with glibc, and sizeof(sigset_t), 128. */
  private static final int ATTRIBUTES_OFFSET = 128;

  private static final int SIGNAL_SET_OFFSET = 640;
  private static final int STRINGS_OFFSET = 1024;
  private static final int SIGNAL_SET_BYTES = 128;

  private Spawn() {}

  /** {@link #posixSpawn(String, List, Map, SpawnActions)} with this process's environment. */
  public static int posixSpawn(String path, List<String> argv, SpawnActions actions) {
    return posixSpawn(path, argv, System.getenv(), actions);
  }

  /**
   * Starts a program.
   *
   * @param path the program's file; no search
   * @param argv all arguments, the name first
   * @return the child's pid
   * @throws KernelException if the program can't be started; a failed exec is reported here too
   */
  public static int posixSpawn(String path, List<String> argv, Map<String, String> environment, SpawnActions actions) {
    List<String> variables =
        environment.entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue()).toList();
    try (NativeStrings strings = new NativeStrings(STRINGS_OFFSET, path, argv, variables, actions)) {
      return spawn(path, strings, actions);
    }
  }

  /** Starts the program that a descriptor is open on (a memfd, say). The kernel calls the process by the descriptor's number. */
  public static int fexec(
      FileDescriptor program, List<String> argv, Map<String, String> environment, SpawnActions actions) {
    return posixSpawn("/proc/self/fd/" + program.number(), argv, environment, actions);
  }

  private static int spawn(String path, NativeStrings strings, SpawnActions actions) {
    LibC libc = Kernel.libc();
    long base = strings.address();
    ByteBuffer memory = strings.bytes();
    long attributes = base + ATTRIBUTES_OFFSET;
    long fileActions = base + 16;
    libc.posix_spawn_file_actions_init(fileActions);
    libc.posix_spawnattr_init(attributes);
    try {
      addSteps(libc, fileActions, strings, actions);
      setAttributes(libc, attributes, base + SIGNAL_SET_OFFSET, memory, actions);
      int errno =
          libc.posix_spawn(
              base, strings.pathAddress(), fileActions, attributes, strings.argvAddress(), strings.environmentAddress(), 0);
      if (errno != 0) {
        throw new KernelException("posix_spawn", errno, 0, path);
      }
      return memory.getInt(0);
    } finally {
      libc.posix_spawn_file_actions_destroy(fileActions);
      libc.posix_spawnattr_destroy(attributes);
    }
  }

  private static void addSteps(LibC libc, long fileActions, NativeStrings strings, SpawnActions actions) {
    List<SpawnActions.Step> steps = actions.steps();
    for (int i = 0; i < steps.size(); i++) {
      SpawnActions.Step step = steps.get(i);
      int errno =
          switch (step.kind()) {
            case DUP -> libc.posix_spawn_file_actions_adddup2(fileActions, step.from(), step.to());
            case CLOSE -> libc.posix_spawn_file_actions_addclose(fileActions, step.from());
            case CLOSE_FROM -> libc.posix_spawn_file_actions_addclosefrom_np(fileActions, step.from());
            case CHANGE_DIRECTORY ->
                libc.posix_spawn_file_actions_addchdir_np(fileActions, strings.stepPathAddress(i));
            case OPEN ->
                libc.posix_spawn_file_actions_addopen(
                    fileActions, step.from(), strings.stepPathAddress(i), step.flags(), 0600);
          };
      if (errno != 0) {
        throw new KernelException("posix_spawn_file_actions", errno, 0, step.kind() + " " + step.path());
      }
    }
  }

  private static void setAttributes(
      LibC libc, long attributes, long signalSet, ByteBuffer memory, SpawnActions actions) {
    int flags = SET_SIGNAL_MASK | SET_SIGNAL_DEFAULTS;
    if (actions.newSession()) {
      flags |= SET_SESSION;
    }
    if (actions.newProcessGroup()) {
      flags |= SET_PROCESS_GROUP;
    }
    libc.posix_spawnattr_setsigmask(attributes, signalSet);
    for (int i = 0; i < SIGNAL_SET_BYTES; i++) {
      memory.put(SIGNAL_SET_OFFSET + i, (byte) 0xff);
    }
    libc.posix_spawnattr_setsigdefault(attributes, signalSet);
    libc.posix_spawnattr_setflags(attributes, (short) flags);
  }

  /**
   * One {@code wait4(2)} with {@code __WALL}: blocks unless {@code options} holds WNOHANG.
   *
   * @param pid a child or tracee (a thread id too), or -1 for any: never use -1 in a program that has other children
   * @return what happened; {@link WaitResult#nothing()} with WNOHANG if nothing did. ECHILD throws
   */
  public static WaitResult waitFor(int pid, int options) {
    Scratch scratch = Scratch.ofThread();
    long result;
    do {
      result =
          Kernel.call(SyscallNumbers.WAIT4, pid, scratch.structAddress(), options | Constants.WALL, 0);
    } while (result == -Errno.EINTR);
    int who = (int) Kernel.check(result, "wait4", pid, "");
    return new WaitResult(who, who == 0 ? 0 : scratch.struct().getInt(0));
  }

  /** Waits for something to happen to a child; {@link WaitResult#nothing()} if nothing did before the deadline. */
  public static WaitResult waitFor(int pid, Deadline deadline) {
    WaitResult[] result = {new WaitResult(0, 0)};
    deadline.await(
        () -> {
          result[0] = waitFor(pid, Constants.WNOHANG);
          return !result[0].nothing();
        });
    return result[0];
  }

  /** {@code kill(2)}: 0 or the error. */
  public static int kill(int pid, int signal) {
    return (int) -Kernel.call(SyscallNumbers.KILL, pid, signal);
  }

  /** {@code tgkill(2)}: 0 or the error. */
  public static int killThread(int pid, int tid, int signal) {
    return (int) -Kernel.call(SyscallNumbers.TGKILL, pid, tid, signal);
  }

  /** Kills a child with SIGKILL and reaps it. A child that is gone already is fine. */
  public static void killAndReap(int pid, Deadline deadline) {
    kill(pid, Constants.SIGKILL);
    deadline.await(
        () -> {
          Scratch scratch = Scratch.ofThread();
          long result =
              Kernel.call(
                  SyscallNumbers.WAIT4, pid, scratch.structAddress(), Constants.WNOHANG | Constants.WALL, 0);
          return result == -Errno.ECHILD
              || (result == pid && new WaitResult(pid, scratch.struct().getInt(0)).ended());
        });
  }
}
