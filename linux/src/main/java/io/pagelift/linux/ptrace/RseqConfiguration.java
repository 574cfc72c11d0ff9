package io.pagelift.linux.ptrace;

/**
 * A thread's registered restartable-sequences area: PTRACE_GET_RSEQ_CONFIGURATION, Linux 5.13.
 *
 * @param address the area's address, 0 if the thread has none
 * @param lengthBytes its registered length
 * @param signature the abort signature
 * @param flags the registration flags
 */
public record RseqConfiguration(long address, int lengthBytes, int signature, int flags) {
  /** No registration. */
  public static final RseqConfiguration NONE = new RseqConfiguration(0, 0, 0, 0);
}
