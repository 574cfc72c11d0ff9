package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * The capability sets that {@code capget(2)} gives, one bit for each capability.
 *
 * @param effective what is in force
 * @param permitted what may be in force
 * @param inheritable what execve may keep
 */
public record Capabilities(long effective, long permitted, long inheritable) {
  public static final int SETPCAP = 8;
  public static final int SYS_PTRACE = 19;
  public static final int SYS_ADMIN = 21;
  public static final int SYS_RESOURCE = 24;
  public static final int CHECKPOINT_RESTORE = 40;

  private static final int VERSION_3 = 0x20080522;

  /** Reads a thread's sets; 0 is the calling thread. */
  public static Capabilities of(int tid) {
    Scratch scratch = Scratch.ofThread();
    ByteBuffer memory = scratch.struct(32);
    memory.putInt(0, VERSION_3).putInt(4, tid);
    long header = scratch.structAddress();
    Kernel.check(Kernel.call(SyscallNumbers.CAPGET, header, header + 8), "capget", tid, "");
    return new Capabilities(set(memory, 8), set(memory, 12), set(memory, 16));
  }

  /** Two structs of three 32-bit words: the low halves, then the high halves. */
  private static long set(ByteBuffer memory, int at) {
    return (memory.getInt(at) & 0xffffffffL) | ((long) memory.getInt(at + 12) << 32);
  }

  /** Whether a capability is in force. */
  public boolean has(int capability) {
    return (effective >>> capability & 1) != 0;
  }
}
