package io.pagelift.linux;

import static io.pagelift.linux.Constants.PROT_NONE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Kernel.PAGE_BYTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class RemoteMemoryTest {
  private static final int SELF = Kernel.pid();

  @Test
  void manyScatteredPagesArriveOneAfterAnother() {
    int count = 256;
    try (Mapping source = Mapping.anonymous(2 * count).touchAll();
        NativeBuffer into = NativeBuffer.allocate((long) count * PAGE_BYTES)) {
      long[] addresses = new long[count];
      int[] lengths = new int[count];
      Arrays.setAll(addresses, i -> source.page(2 * i));
      Arrays.fill(lengths, PAGE_BYTES);
      ReadResult result = RemoteMemory.read(SELF, addresses, lengths, count, into.address());
      assertThat(result).isEqualTo(new ReadResult((long) count * PAGE_BYTES, 0));
      for (int i = 0; i < count; i++) {
        assertThat(into.bytes().get(i * PAGE_BYTES)).isEqualTo((byte) (2 * i + 1));
      }
    }
  }

  @Test
  void aHoleMakesTheCountShortAtItsPlace() {
    try (Mapping source = Mapping.anonymous(8).touchAll();
        NativeBuffer into = NativeBuffer.allocate(8L * PAGE_BYTES)) {
      source.unmap(5, 1);
      assertThat(RemoteMemory.read(SELF, source.address(), source.lengthBytes(), into.address()))
          .isEqualTo(new ReadResult(5L * PAGE_BYTES, 0));
    }
  }

  @Test
  void aHoleInTheThirdRangeEndsTheReadThere() {
    try (Mapping source = Mapping.anonymous(8).touchAll();
        NativeBuffer into = NativeBuffer.allocate(8L * PAGE_BYTES)) {
      source.protect(4, 1, PROT_NONE);
      long[] addresses = {source.page(0), source.page(2), source.page(4), source.page(6)};
      int[] lengths = {PAGE_BYTES, PAGE_BYTES, PAGE_BYTES, PAGE_BYTES};
      assertThat(RemoteMemory.read(SELF, addresses, lengths, 4, into.address()))
          .isEqualTo(new ReadResult(2L * PAGE_BYTES, 0));
    }
  }

  @Test
  void aHoleAtTheFirstByteIsEfault() {
    try (Mapping source = Mapping.anonymous(1);
        NativeBuffer into = NativeBuffer.allocate(PAGE_BYTES)) {
      source.protect(0, 1, PROT_NONE);
      assertThat(RemoteMemory.read(SELF, source.address(), 16, into.address()))
          .isEqualTo(new ReadResult(0, Errno.EFAULT));
      assertThatThrownBy(() -> RemoteMemory.read(SELF, source.address(), 16))
          .hasMessageContaining("process_vm_readv on memory at 0x")
          .hasMessageEndingWith("failed with EFAULT");
    }
  }

  @Test
  void aProcessThatIsGoneIsToldApartFromAHole() {
    int pid;
    try (Child child = Child.sleeping()) {
      pid = child.pid();
    }
    try (NativeBuffer into = NativeBuffer.allocate(PAGE_BYTES)) {
      assertThat(RemoteMemory.read(pid, 4096, 16, into.address()).processGone()).isTrue();
    }
  }

  @Test
  void aChildsMemoryIsReadAndWritten() {
    try (Child child = Child.sleeping()) {
      MemoryMap stack =
          ProcessMaps.read(child.pid()).stream().filter(map -> map.path().equals("[stack]")).findFirst().orElseThrow();
      long place = stack.start();
      RemoteMemory.write(child.pid(), place, new byte[] {1, 2, 3});
      assertThat(RemoteMemory.read(child.pid(), place, 4)).containsExactly(1, 2, 3, 0);
    }
  }

  @Test
  void readOnlyPagesAreRefusedByTheCallAndWrittenThroughTheFile() {
    try (Mapping target = Mapping.anonymous(1).touchAll();
        RemoteMemory.MemFile file = RemoteMemory.openMem(SELF)) {
      target.protect(0, 1, PROT_READ);
      assertThatThrownBy(() -> RemoteMemory.write(SELF, target.address(), new byte[] {9}))
          .isInstanceOf(KernelException.class)
          .hasMessageEndingWith("failed with EFAULT");
      file.write(target.address(), new byte[] {9});
      assertThat(target.view().get(0)).isEqualTo((byte) 9);
    }
  }

  @Test
  void pagesWithoutReadPermissionAreReadThroughTheFile() {
    try (Mapping target = Mapping.anonymous(2).touchAll();
        RemoteMemory.MemFile file = RemoteMemory.openMem(SELF);
        NativeBuffer into = NativeBuffer.allocate(PAGE_BYTES)) {
      target.protect(0, 2, PROT_NONE);
      assertThat(file.read(target.page(1), PAGE_BYTES, into.address())).isEqualTo(new ReadResult(PAGE_BYTES, 0));
      assertThat(into.bytes().get(0)).isEqualTo((byte) 2);
    }
  }

  @Test
  void theFileOfAnEndedProcessSaysThatItIsGone() {
    Child child = Child.sleeping();
    try (RemoteMemory.MemFile file = RemoteMemory.openMem(child.pid())) {
      long place = ProcessMaps.read(child.pid()).get(0).start();
      assertThat(file.read(place, 4)).startsWith(0x7f, 'E', 'L', 'F');
      child.close();
      assertThatThrownBy(() -> file.read(place, 4)).hasMessageEndingWith("failed with ESRCH");
    } finally {
      child.close();
    }
  }
}
