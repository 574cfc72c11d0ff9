package io.pagelift.linux;

import java.nio.ByteBuffer;

/** {@code prctl(2)} on the calling thread. On another process's threads it must be injected. */
public final class Prctl {
  private Prctl() {}

  /** The raw call: a result or a negative error number. */
  public static long call(int option, long a1, long a2, long a3, long a4) {
    return Kernel.call(SyscallNumbers.PRCTL, option, a1, a2, a3, a4);
  }

  /** Makes this process the new parent of its descendants' orphans, or not. */
  public static void setChildSubreaper(boolean on) {
    check(call(Constants.PR_SET_CHILD_SUBREAPER, on ? 1 : 0, 0, 0, 0), "PR_SET_CHILD_SUBREAPER");
  }

  /** The signal that this process gets when the thread that made it ends; 0 for none. */
  public static void setParentDeathSignal(int signal) {
    check(call(Constants.PR_SET_PDEATHSIG, signal, 0, 0, 0), "PR_SET_PDEATHSIG");
  }

  /** Names the calling thread; cut to 15 bytes. */
  public static void setName(String name) {
    ByteBuffer memory = Scratch.ofThread().struct(16);
    byte[] bytes = FileNames.encode(name);
    memory.put(0, bytes, 0, Math.min(15, bytes.length));
    check(call(Constants.PR_SET_NAME, Scratch.ofThread().structAddress(), 0, 0, 0), "PR_SET_NAME");
  }

  private static void check(long result, String option) {
    Kernel.check(result, "prctl", option);
  }
}
