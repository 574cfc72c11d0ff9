package io.pagelift.linux;

/**
 * The list of robust futexes of a thread, by {@code get_robust_list(2)}.
 *
 * @param head its address in the thread's process, 0 for none
 * @param lengthBytes the head's size
 */
public record RobustList(long head, long lengthBytes) {
  /** Reads it from another thread; needs the right to ptrace it. */
  public static RobustList of(int tid) {
    Scratch scratch = Scratch.ofThread();
    long result =
        Kernel.call(
            SyscallNumbers.GET_ROBUST_LIST, tid, scratch.structAddress(), scratch.structAddress() + 8);
    Kernel.check(result, "get_robust_list", tid, "");
    return new RobustList(scratch.struct().getLong(0), scratch.struct().getLong(8));
  }
}
