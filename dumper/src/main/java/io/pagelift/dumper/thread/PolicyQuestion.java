package io.pagelift.dumper.thread;

import com.google.protobuf.ByteString;
import io.pagelift.image.MemoryPolicy;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.inject.WorkArea;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** get_mempolicy(2), asked in the thread that it is about: added to a batch, then answered. */
public final class PolicyQuestion {
  /** As many nodes as a kernel can have (CONFIG_NODES_SHIFT is 10 at most). */
  private static final int MAX_NODES = 1024;

  private static final int MASK_BYTES = MAX_NODES / Byte.SIZE;
  private static final int MODE_BYTES = 16;

  /** Room in a batch that one question takes. */
  public static final int DATA_BYTES = MODE_BYTES + MASK_BYTES;

  private final long place;
  private final int call;

  /**
   * Asks.
   *
   * @param address of a mapping, with MPOL_F_ADDR; 0 for the thread's own policy
   * @param flags MPOL_F_ADDR or 0
   */
  public PolicyQuestion(Batch batch, long address, int flags) {
    place = batch.reserve(DATA_BYTES);
    call = batch.add(SyscallNumbers.GET_MEMPOLICY, place, place + MODE_BYTES, MAX_NODES + 1L, address, flags);
  }

  /** The policy; {@code null} for the default, and on a kernel without nodes. */
  public @Nullable MemoryPolicy answer(LivingInjection injection, WorkArea area, BatchResults results) {
    if (Kernel.failed(results.result(call))) {
      return null;
    }
    byte[] bytes = injection.read(place - area.address(), DATA_BYTES);
    int mode = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt(0);
    return mode == 0
        ? null
        : MemoryPolicy.newBuilder()
            .setMode(mode)
            .setNodes(ByteString.copyFrom(bytes, MODE_BYTES, MASK_BYTES))
            .build();
  }
}
