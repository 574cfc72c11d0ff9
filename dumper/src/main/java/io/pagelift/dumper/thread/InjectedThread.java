package io.pagelift.dumper.thread;

import io.pagelift.image.MemoryPolicy;
import io.pagelift.linux.Constants;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.inject.WorkArea;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What only the thread itself can be asked, by injected calls.
 *
 * @param stackAddress of the alternate signal stack, sigaltstack(2)
 * @param stackFlags SS_DISABLE, SS_ONSTACK, SS_AUTODISARM
 * @param stackBytes its size
 * @param clearChildTid what set_tid_address(2) or clone(2) set
 * @param parentDeathSignal PR_SET_PDEATHSIG
 * @param securebits PR_SET_SECUREBITS
 * @param memoryPolicy set_mempolicy(2), {@code null} for the default
 */
public record InjectedThread(
    long stackAddress,
    int stackFlags,
    long stackBytes,
    long clearChildTid,
    int parentDeathSignal,
    int securebits,
    @Nullable MemoryPolicy memoryPolicy) {
  private static final int PR_GET_TID_ADDRESS = 40;
  /** struct sigaltstack: address 8, flags 4, padding 4, size 8. */
  private static final int STACK_BYTES = 24;

  /** The questions, added to a batch; then the answers. */
  public static final class Questions {
    private final int stack;
    private final long stackPlace;
    private final int tidAddress;
    private final long tidPlace;
    private final int deathSignal;
    private final long deathPlace;
    private final int securebits;
    private final PolicyQuestion memoryPolicy;

    /** Adds the calls to a batch that will run in the thread. */
    public Questions(Batch batch) {
      stackPlace = batch.reserve(STACK_BYTES);
      stack = batch.add(SyscallNumbers.SIGALTSTACK, 0, stackPlace);
      tidPlace = batch.reserve(Long.BYTES);
      tidAddress = batch.add(SyscallNumbers.PRCTL, PR_GET_TID_ADDRESS, tidPlace, 0, 0, 0);
      deathPlace = batch.reserve(Integer.BYTES);
      deathSignal = batch.add(SyscallNumbers.PRCTL, Constants.PR_GET_PDEATHSIG, deathPlace, 0, 0, 0);
      securebits = batch.add(SyscallNumbers.PRCTL, Constants.PR_GET_SECUREBITS, 0, 0, 0, 0);
      memoryPolicy = new PolicyQuestion(batch, 0, 0);
    }

    /** Reads the answers out of the work area. */
    public InjectedThread answers(LivingInjection injection, WorkArea area, BatchResults results) {
      results.check(stack, "the alternate signal stack");
      results.check(tidAddress, "PR_GET_TID_ADDRESS");
      results.check(deathSignal, "PR_GET_PDEATHSIG");
      ByteBuffer place = words(injection.read(stackPlace - area.address(), STACK_BYTES));
      return new InjectedThread(
          place.getLong(0),
          place.getInt(8),
          place.getLong(16),
          words(injection.read(tidPlace - area.address(), Long.BYTES)).getLong(0),
          words(injection.read(deathPlace - area.address(), Integer.BYTES)).getInt(0),
          (int) results.check(securebits, "PR_GET_SECUREBITS"),
          memoryPolicy.answer(injection, area, results));
    }

    private static ByteBuffer words(byte[] bytes) {
      return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }
  }
}
