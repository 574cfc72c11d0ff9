package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * A thread's scheduling, by {@code sched_getattr(2)} and {@code sched_setattr(2)}.
 *
 * @param policy SCHED_OTHER 0, FIFO 1, RR 2, BATCH 3, IDLE 5, DEADLINE 6
 * @param flags SCHED_FLAG_*
 * @param nice -20 to 19
 * @param priority 1 to 99 for FIFO and RR, otherwise 0
 * @param runtimeNanos for DEADLINE; for OTHER, since Linux 6.12, the time slice
 * @param utilMin utilization clamp, 0 to 1024
 * @param utilMax utilization clamp, 0 to 1024
 */
public record SchedAttributes(
    int policy,
    long flags,
    int nice,
    int priority,
    long runtimeNanos,
    long deadlineNanos,
    long periodNanos,
    int utilMin,
    int utilMax) {

  private static final int STRUCT_BYTES = 56;

  /** The longest CPU mask that is read: 8,192 CPUs. */
  private static final int MASK_BYTES = 1024;

  /** Reads a thread's scheduling; 0 is the calling thread. */
  public static SchedAttributes get(int tid) {
    Scratch scratch = Scratch.ofThread();
    ByteBuffer attributes = scratch.struct(STRUCT_BYTES);
    long result = Kernel.call(SyscallNumbers.SCHED_GETATTR, tid, scratch.structAddress(), STRUCT_BYTES, 0);
    Kernel.check(result, "sched_getattr", tid, "");
    return new SchedAttributes(
        attributes.getInt(4),
        attributes.getLong(8),
        attributes.getInt(16),
        attributes.getInt(20),
        attributes.getLong(24),
        attributes.getLong(32),
        attributes.getLong(40),
        attributes.getInt(48),
        attributes.getInt(52));
  }

  /** Sets a thread's scheduling. */
  public void set(int tid) {
    Scratch scratch = Scratch.ofThread();
    scratch
        .struct()
        .putInt(0, STRUCT_BYTES)
        .putInt(4, policy)
        .putLong(8, flags)
        .putInt(16, nice)
        .putInt(20, priority)
        .putLong(24, runtimeNanos)
        .putLong(32, deadlineNanos)
        .putLong(40, periodNanos)
        .putInt(48, utilMin)
        .putInt(52, utilMax);
    long result = Kernel.call(SyscallNumbers.SCHED_SETATTR, tid, scratch.structAddress(), 0);
    Kernel.check(result, "sched_setattr", tid, "");
  }

  /** The mask of CPUs that a thread may run on, bit 0 of byte 0 being CPU 0, as long as the kernel gives it. */
  public static byte[] affinity(int tid) {
    Scratch scratch = Scratch.ofThread();
    long result = Kernel.call(SyscallNumbers.SCHED_GETAFFINITY, tid, MASK_BYTES, scratch.structAddress());
    byte[] mask = new byte[(int) Kernel.check(result, "sched_getaffinity", tid, "")];
    scratch.struct().get(0, mask);
    return mask;
  }

  /** Sets the mask of CPUs; EINVAL if none of them exists. */
  public static void setAffinity(int tid, byte[] mask) {
    if (mask.length > MASK_BYTES) {
      throw new IllegalArgumentException("a CPU mask of " + mask.length + " bytes");
    }
    Scratch scratch = Scratch.ofThread();
    scratch.struct().put(0, mask);
    long result = Kernel.call(SyscallNumbers.SCHED_SETAFFINITY, tid, mask.length, scratch.structAddress());
    Kernel.check(result, "sched_setaffinity", tid, "");
  }

  /** A thread's input and output priority by {@code ioprio_get(2)}: class in the bits from 13 on, level below. */
  public static int ioPriority(int tid) {
    return (int) Kernel.check(Kernel.call(SyscallNumbers.IOPRIO_GET, 1, tid), "ioprio_get", tid, "");
  }
}
