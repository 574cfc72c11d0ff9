package io.pagelift.dumper.process;

import io.pagelift.dumper.thread.PolicyQuestion;
import io.pagelift.image.MemoryPolicy;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.inject.WorkArea;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What of an address space only a process that lives in it can be asked.
 *
 * @param futureLock mlockall(2): MCL_FUTURE and MCL_ONFAULT, or 0
 * @param thpDisable PR_GET_THP_DISABLE: 0, or 1 with the flags of PR_SET_THP_DISABLE
 * @param merge PR_GET_MEMORY_MERGE
 * @param localDescriptors whether it has a local descriptor table, modify_ldt(2)
 * @param policies mbind(2), by the start of the mapping; those with the default are not in it
 */
record InjectedMemory(
    int futureLock, int thpDisable, boolean merge, boolean localDescriptors, Map<Long, MemoryPolicy> policies) {
  private static final int MPOL_F_ADDR = 2;
  private static final int MODE_BYTES = 16;
  private static final int LDT_ENTRY_BYTES = 8;

  /** The questions that are a call each; then the answers, with a batch of their own for the mappings. */
  static final class Questions {
    private final int futureLock;
    private final long residentPlace;
    private final int thpDisable;
    private final int merge;
    private final int localDescriptors;

    /**
     * Adds them to a batch.
     *
     * <p>MCL_FUTURE is not shown anywhere, but the work area was mapped under it: madvise(2) refuses MADV_DONTNEED for a locked
     * mapping, and mincore(2) tells whether its pages came at once or come when they are touched.
     *
     * @param untouched a page of the work area that nothing was written to
     */
    Questions(Batch batch, long untouched) {
      residentPlace = batch.reserve(1);
      batch.add(SyscallNumbers.MINCORE, untouched, Kernel.PAGE_BYTES, residentPlace);
      futureLock = batch.add(SyscallNumbers.MADVISE, untouched, Kernel.PAGE_BYTES, Constants.MADV_DONTNEED);
      thpDisable = batch.add(SyscallNumbers.PRCTL, Constants.PR_GET_THP_DISABLE, 0, 0, 0, 0);
      merge = batch.add(SyscallNumbers.PRCTL, Constants.PR_GET_MEMORY_MERGE, 0, 0, 0, 0);
      localDescriptors = batch.add(SyscallNumbers.MODIFY_LDT, 0, batch.reserve(LDT_ENTRY_BYTES), LDT_ENTRY_BYTES);
    }

    InjectedMemory answers(LivingInjection injection, WorkArea area, BatchResults results, List<MemoryMap> maps) {
      boolean resident = (injection.read(residentPlace - area.address(), 1)[0] & 1) != 0;
      int lock = 0;
      if (results.result(futureLock) == -Errno.EINVAL) {
        lock = resident ? Constants.MCL_FUTURE : Constants.MCL_FUTURE | Constants.MCL_ONFAULT;
      }
      return new InjectedMemory(
          lock,
          (int) Math.max(0, results.result(thpDisable)),
          results.result(merge) == 1,
          results.result(localDescriptors) > 0,
          policies(injection, area, maps));
    }
  }

  /** First which mappings have a policy at all, since hardly any has one; then what it is. */
  private static Map<Long, MemoryPolicy> policies(LivingInjection injection, WorkArea area, List<MemoryMap> maps) {
    List<Long> marked = new ArrayList<>();
    for (int next = 0; next < maps.size(); ) {
      Batch batch = injection.newBatch();
      int first = next;
      while (next < maps.size() && batch.entriesLeft() > 0 && batch.scratchBytesLeft() >= MODE_BYTES) {
        batch.add(SyscallNumbers.GET_MEMPOLICY, batch.reserve(MODE_BYTES), 0, 0, maps.get(next++).start(), MPOL_F_ADDR);
      }
      BatchResults results = injection.runBatch(batch);
      if (results.result(0) == -Errno.ENOSYS) {
        return Map.of();
      }
      byte[] modes = injection.read(area.lengthBytes() / 2, (next - first) * MODE_BYTES);
      ByteBuffer words = ByteBuffer.wrap(modes).order(ByteOrder.nativeOrder());
      for (int i = 0; i < next - first; i++) {
        if (!Kernel.failed(results.result(i)) && words.getInt(i * MODE_BYTES) != 0) {
          marked.add(maps.get(first + i).start());
        }
      }
    }
    return details(injection, area, marked);
  }

  private static Map<Long, MemoryPolicy> details(LivingInjection injection, WorkArea area, List<Long> addresses) {
    Map<Long, MemoryPolicy> policies = new HashMap<>();
    for (int next = 0; next < addresses.size(); ) {
      Batch batch = injection.newBatch();
      Map<Long, PolicyQuestion> questions = new HashMap<>();
      while (next < addresses.size() && batch.entriesLeft() > 0 && batch.scratchBytesLeft() >= PolicyQuestion.DATA_BYTES) {
        questions.put(addresses.get(next), new PolicyQuestion(batch, addresses.get(next++), MPOL_F_ADDR));
      }
      BatchResults results = injection.runBatch(batch);
      questions.forEach(
          (address, question) -> {
            MemoryPolicy policy = question.answer(injection, area, results);
            if (policy != null) {
              policies.put(address, policy);
            }
          });
    }
    return policies;
  }
}
