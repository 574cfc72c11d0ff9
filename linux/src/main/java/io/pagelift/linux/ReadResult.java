package io.pagelift.linux;

/**
 * What a read of another process's memory gave.
 *
 * @param bytesRead bytes that arrived, from the first range on without gaps; fewer than asked for means that the page at that
 *     place could not be read
 * @param errno why nothing at all was read, or 0: EFAULT for a hole at the first byte, ESRCH for a process that is gone
 */
public record ReadResult(long bytesRead, int errno) {
  static ReadResult of(long result) {
    return Kernel.failed(result) ? new ReadResult(0, (int) -result) : new ReadResult(result, 0);
  }

  /** Whether the process no longer exists or has no memory any more. */
  public boolean processGone() {
    return errno == Errno.ESRCH;
  }
}
