package io.pagelift.linux.stub;

import io.pagelift.linux.Deadline;

/**
 * Makes the first process of a rebuilt tree out of a generated static ELF file in a memfd.
 *
 * <p>Skeleton: the signatures are final, the implementation follows.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class SeedProcess {
  private SeedProcess() {}

  /**
   * Spawns a seed: seized (EXITKILL), stopped, without any descriptor, all signals blocked, with nothing mapped but the stub's
   * region, the stack that the kernel gave it, and vdso with vvar.
   *
   * @param region where the stub goes
   * @throws io.pagelift.linux.KernelException if a step fails; nothing is left behind
   */
  public static StubTask spawn(StubRegion region, Deadline deadline) {
    throw new UnsupportedOperationException("spawn " + region + deadline);
  }
}
