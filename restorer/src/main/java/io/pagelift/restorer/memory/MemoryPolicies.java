package io.pagelift.restorer.memory;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.MemoryPolicy;
import io.pagelift.image.Vma;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/** Where memory is taken from on a machine with several nodes: set_mempolicy(2), mbind(2). */
public final class MemoryPolicies {
  private static final String NODES = "/sys/devices/system/node/node";

  private MemoryPolicies() {}

  /** Queues the policy of a thread, in that thread. */
  public static void set(RemoteCalls calls, MemoryPolicy policy) {
    byte[] nodes = policy.getNodes().toByteArray();
    calls.add("set the memory policy", SyscallNumbers.SET_MEMPOLICY, policy.getMode(), calls.data(nodes), maxNode(nodes));
  }

  /** Queues the policy of a mapping. */
  static void bind(RemoteCalls calls, Vma vma) {
    byte[] nodes = vma.getPolicy().getNodes().toByteArray();
    calls.add(
        "set the memory policy of 0x" + Long.toHexString(vma.getStart()),
        SyscallNumbers.MBIND,
        vma.getStart(),
        vma.getEnd() - vma.getStart(),
        vma.getPolicy().getMode(),
        calls.data(nodes),
        maxNode(nodes),
        0);
  }

  /** The kernel takes one bit less than it is told. */
  private static long maxNode(byte[] nodes) {
    return (long) nodes.length * Byte.SIZE + 1;
  }

  /**
   * Refuses a policy that names a node which this machine does not have.
   *
   * @param object whose policy it is, for the message
   */
  public static void check(String object, MemoryPolicy policy) {
    BitSet nodes = BitSet.valueOf(policy.getNodes().toByteArray());
    nodes.stream()
        .filter(node -> !Files.exists(Path.of(NODES + node)))
        .findFirst()
        .ifPresent(
            node -> {
              throw new PageliftException(
                  ErrorCategory.REFUSED,
                  object + " takes its memory from node " + node + ", which this machine does not have (it has "
                      + ProcFile.value("/sys/devices/system/node/possible")
                      + "); restore it on a machine with the source's nodes.");
            });
  }
}
