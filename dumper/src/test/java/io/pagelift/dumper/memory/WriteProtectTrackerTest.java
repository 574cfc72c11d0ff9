package io.pagelift.dumper.memory;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_NONE;
import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.UserFault;
import java.util.List;
import org.junit.jupiter.api.Test;

class WriteProtectTrackerTest {
  @Test
  void aMappingThatGrewSinceTheMappingsWereReadIsNotCutInTwo() {
    try (OwnMemory memory = new OwnMemory(100)) {
      long address = memory.firstPage() * OwnMemory.PAGE;
      memory.unmap(0, 100);
      // A gap on both sides keeps the kernel from merging it with a neighbour.
      mapAt(address + 10L * OwnMemory.PAGE, 20);
      List<MemoryMap> old = ProcessMaps.read(Kernel.pid());
      remap(address + 10L * OwnMemory.PAGE, 20, 40);
      FileDescriptor userFault = UserFault.create();
      UserFault.api(userFault, WriteProtectTracker.features());
      try (WriteProtectTracker tracker = new WriteProtectTracker(Kernel.pid(), userFault, true)) {
        tracker.scanLive(old, memory::mappings);
        // mremap over two mappings fails with EFAULT.
        remap(address + 10L * OwnMemory.PAGE, 40, 50);
      }
      Kernel.call(SyscallNumbers.MUNMAP, address + 10L * OwnMemory.PAGE, 50L * OwnMemory.PAGE);
    }
  }

  private static void mapAt(long address, int pages) {
    int fixedNoReplace = 0x100000;
    long mapped =
        Kernel.call(
            SyscallNumbers.MMAP,
            address,
            (long) pages * OwnMemory.PAGE,
            PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS | fixedNoReplace,
            -1,
            0);
    assertThat(mapped).isEqualTo(address);
  }

  private static void remap(long address, int pages, int newPages) {
    long result =
        Kernel.call(
            SyscallNumbers.MREMAP, address, (long) pages * OwnMemory.PAGE, (long) newPages * OwnMemory.PAGE, 0, 0);
    assertThat(result).isEqualTo(address);
  }
}
