package io.pagelift.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class KernelTest {
  @Test
  void aCallWithSixArgumentsPassesTheSixth() {
    // mmap's sixth argument is the offset: one that is not page-aligned is refused, and an aligned one shows in maps.
    long wrong = Kernel.call(SyscallNumbers.MMAP, 0, 4096, 1, 2, memfd(), 1);
    assertThat(wrong).isEqualTo(-Errno.EINVAL);

    try (FileDescriptor file = FileDescriptor.memfd("six", 0)) {
      file.truncate(3 * 4096);
      long address = Kernel.call(SyscallNumbers.MMAP, 0, 4096, 1, 2, file.number(), 8192);
      MemoryMap map = mapAt(address);
      Kernel.call(SyscallNumbers.MUNMAP, address, 4096);
      assertThat(map.fileOffsetBytes()).isEqualTo(8192);
      assertThat(map.path()).isEqualTo("/memfd:six (deleted)");
    }
  }

  private static int memfd() {
    try (FileDescriptor file = FileDescriptor.memfd("wrong", 0)) {
      return file.number();
    }
  }

  private static MemoryMap mapAt(long address) {
    return ProcessMaps.read(Kernel.pid()).stream().filter(map -> map.start() == address).findFirst().orElseThrow();
  }

  @Test
  void aCallWithFiveArgumentsPassesTheFifth() {
    Stat stat = Stat.of("/proc/self/exe");
    assertThat(stat.isRegular()).isTrue();
    assertThat(stat.sizeBytes()).isPositive();
  }

  @Test
  void theErrorNumberIsTheOneOfTheCallOnEveryThread() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Integer>> jobs = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        jobs.add(i % 2 == 0 ? () -> wrongAnswers(-Errno.EBADF, SyscallNumbers.CLOSE, -1)
            : () -> wrongAnswers(-Errno.ESRCH, SyscallNumbers.GETPGID, Integer.MAX_VALUE));
      }
      for (Future<Integer> wrong : threads.invokeAll(jobs)) {
        assertThat(wrong.get()).isZero();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static int wrongAnswers(long expected, long call, long argument) {
    int wrong = 0;
    for (int i = 0; i < 50_000; i++) {
      if (Kernel.call(call, argument) != expected) {
        wrong++;
      }
    }
    return wrong;
  }

  @Test
  void aSuccessAfterAFailureIsNotTakenForAFailure() {
    assertThat(Kernel.call(SyscallNumbers.CLOSE, -1)).isEqualTo(-Errno.EBADF);
    assertThat(Kernel.call(SyscallNumbers.GETPID)).isEqualTo(ProcessHandle.current().pid());
  }

  @Test
  void aFailureNamesCallErrorProcessAndObject() {
    assertThatThrownBy(() -> Kernel.check(-Errno.ESRCH, "pidfd_open", 17, "fd 3"))
        .isInstanceOf(KernelException.class)
        .hasMessage("pidfd_open on fd 3 of process 17 failed with ESRCH")
        .satisfies(
            e -> {
              KernelException kernel = (KernelException) e;
              assertThat(kernel.errno()).isEqualTo(3);
              assertThat(kernel.errnoName()).isEqualTo("ESRCH");
              assertThat(kernel.pid()).isEqualTo(17);
              assertThat(kernel.processGone()).isTrue();
            });
  }

  @Test
  void onlyWhatEveryProcessHasTellsThatItIsGone() {
    for (String gone : List.of("/proc/12", "/proc/12/maps", "/proc/12/fd", "/proc/12/task/13/stat")) {
      assertThat(new KernelException("open", Errno.ENOENT, 0, gone).processGone()).as(gone).isTrue();
    }
    for (String other : List.of("/proc/12/fd/7", "/proc/12/map_files/1-2", "/proc/12/exe", "/tmp/x", "")) {
      assertThat(new KernelException("open", Errno.ENOENT, 0, other).processGone()).as(other).isFalse();
    }
  }

  @Test
  void aNegativeResultThatIsNotAnErrorPasses() {
    assertThat(Kernel.check(-4096, "any", "")).isEqualTo(-4096);
    assertThat(Kernel.failed(-4095)).isTrue();
  }

  @Test
  void aBufferIsZeroedPageAlignedAndWritable() {
    try (NativeBuffer buffer = NativeBuffer.allocate(5000)) {
      assertThat(buffer.lengthBytes()).isEqualTo(8192);
      assertThat(buffer.address() % 4096).isZero();
      ByteBuffer bytes = buffer.bytes();
      assertThat(bytes.getLong(4096)).isZero();
      bytes.putLong(8184, 42);
      assertThat(Kernel.view(buffer.address() + 8184, 8).getLong()).isEqualTo(42);
    }
  }

  @Test
  void aClosedBufferIsRefused() {
    NativeBuffer buffer = NativeBuffer.allocate(1);
    buffer.close();
    buffer.close();
    assertThatThrownBy(buffer::address).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aPoolHandsOutEachBufferOnceAndThenNone() throws Exception {
    try (BufferPool pool = new BufferPool(2, 4096)) {
      NativeBuffer first = pool.acquire(Deadline.inMillis(0));
      NativeBuffer second = pool.acquire(Deadline.inMillis(0));
      assertThat(first).isNotNull().isNotSameAs(second);
      assertThat(pool.acquire(Deadline.inMillis(1))).isNull();
      pool.release(first);
      assertThat(pool.acquire(Deadline.inMillis(0))).isSameAs(first);
      pool.release(second);
      pool.release(first);
      assertThatThrownBy(() -> pool.release(first)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void systemCallsAndErrorsHaveTheirNames() {
    assertThat(SyscallNumbers.name(SyscallNumbers.PROCESS_VM_READV)).isEqualTo("process_vm_readv");
    assertThat(SyscallNumbers.PROCESS_VM_READV).isEqualTo(310);
    assertThat(SyscallNumbers.CLONE3).isEqualTo(435);
    assertThat(SyscallNumbers.name(-7)).isEqualTo("syscall -7");
    assertThat(Errno.name(11)).isEqualTo("EAGAIN");
    assertThat(Errno.name(4000)).isEqualTo("errno 4000");
  }
}
