package io.pagelift.dumper.memory;

import io.pagelift.linux.Errno;
import io.pagelift.linux.MemoryMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What tells a hole in a process's memory from a real failure. */
final class Holes {
  private Holes() {}

  /** EFAULT from process_vm_readv(2), EIO from /proc/PID/mem, EHWPOISON from either mean: this page cannot be read. */
  static boolean isHole(int errno) {
    return errno == Errno.EFAULT || errno == Errno.EIO || errno == Errno.EHWPOISON || errno == Errno.ENOMEM;
  }

  /** The mapping that holds the address, or null. The mappings are ascending. */
  static @Nullable MemoryMap mappingAt(List<MemoryMap> mappings, long address) {
    int low = 0;
    int high = mappings.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      MemoryMap mapping = mappings.get(middle);
      if (Long.compareUnsigned(address, mapping.start()) < 0) {
        high = middle - 1;
      } else if (Long.compareUnsigned(address, mapping.end()) >= 0) {
        low = middle + 1;
      } else {
        return mapping;
      }
    }
    return null;
  }
}
