package io.pagelift.restorer.memory;

import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.util.HashMap;
import java.util.Map;

/**
 * Descriptors of the restorer that a process holds while its memory is built. Its descriptor table is empty before and after,
 * so the kernel numbers them 0, 1, 2, ... and a call that uses one can be queued together with the call that fetches it.
 */
public final class FetchedFiles implements AutoCloseable {
  private final RemoteCalls calls;
  private final Map<Integer, Integer> numbers = new HashMap<>();
  private int next;

  /** Begins to fetch into a process without descriptors. */
  public FetchedFiles(RemoteCalls calls) {
    this.calls = calls;
    calls.addExpecting("open the restorer", next++, SyscallNumbers.PIDFD_OPEN, Kernel.pid(), 0);
  }

  /** The number in the process of one of the restorer's descriptors, fetched when asked for first. */
  public int number(FileDescriptor file) {
    Integer known = numbers.get(file.number());
    if (known != null) {
      return known;
    }
    int number = next++;
    calls.addExpecting("fetch " + file.object(), number, SyscallNumbers.PIDFD_GETFD, 0, file.number(), 0);
    numbers.put(file.number(), number);
    return number;
  }

  /** Closes all of them. */
  @Override
  public void close() {
    calls.add("close what was open while the memory was built", SyscallNumbers.CLOSE_RANGE, 0, 0xffff_ffffL, 0);
    calls.flush();
  }
}
