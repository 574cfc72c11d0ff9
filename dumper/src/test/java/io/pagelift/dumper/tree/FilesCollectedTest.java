package io.pagelift.dumper.tree;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.pagelift.dumper.testing.Collected;
import io.pagelift.dumper.testing.Victim;
import io.pagelift.image.Device;
import io.pagelift.image.Directory;
import io.pagelift.image.Epoll;
import io.pagelift.image.EventFd;
import io.pagelift.image.GhostFile;
import io.pagelift.image.MemFd;
import io.pagelift.image.OpenFile;
import io.pagelift.image.Pipe;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.RegularFile;
import io.pagelift.image.SharedMemory;
import io.pagelift.image.SignalFd;
import io.pagelift.image.TimerFd;
import io.pagelift.linux.Constants;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** One victim with every kind of open file. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FilesCollectedTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <fcntl.h>
      #include <signal.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/epoll.h>
      #include <sys/eventfd.h>
      #include <sys/mman.h>
      #include <sys/signalfd.h>
      #include <sys/timerfd.h>
      #include <unistd.h>
      static void at(int fd, int number) { dup2(fd, number); close(fd); }
      int main(void) {
        at(open("data", O_RDWR | O_CREAT | O_APPEND, 0640), 100);
        write(100, "hello world", 11);
        lseek(100, 4, SEEK_SET);
        dup3(100, 101, O_CLOEXEC);
        at(open("data", O_RDWR | O_APPEND), 102);
        lseek(102, 4, SEEK_SET);
        at(open("gone", O_RDWR | O_CREAT, 0600), 103);
        write(103, "content", 7);
        unlink("gone");
        at(open(".", O_RDONLY | O_DIRECTORY), 104);
        at(open("/dev/urandom", O_RDONLY), 105);
        int ends[2];
        pipe2(ends, O_NONBLOCK);
        at(ends[0], 106); at(ends[1], 107);
        write(107, "piped", 5); write(107, "twice", 5);
        fcntl(107, F_SETPIPE_SZ, 8192);
        at(eventfd(5, EFD_SEMAPHORE), 108);
        at(epoll_create1(EPOLL_CLOEXEC), 109);
        struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 0x1234567890abcdef } };
        epoll_ctl(109, EPOLL_CTL_ADD, 108, &event);
        dup2(106, 120);
        event.data.u64 = 7;
        epoll_ctl(109, EPOLL_CTL_ADD, 120, &event);
        close(120);
        at(timerfd_create(CLOCK_BOOTTIME, 0), 110);
        struct itimerspec time = { { 3, 500 }, { 1000, 0 } };
        timerfd_settime(110, 0, &time, 0);
        at(timerfd_create(CLOCK_MONOTONIC, 0), 114);
        struct itimerspec fast = { { 50, 0 }, { 0, 1 } };
        timerfd_settime(114, 0, &fast, 0);
        sigset_t set;
        sigemptyset(&set); sigaddset(&set, SIGUSR1); sigaddset(&set, SIGTERM);
        at(signalfd(-1, &set, 0), 111);
        at(memfd_create("store", MFD_ALLOW_SEALING), 112);
        ftruncate(112, 8192);
        fcntl(112, F_ADD_SEALS, F_SEAL_GROW);
        mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 112, 4096);
        pipe(ends);
        at(ends[0], 113); close(ends[1]);
        fcntl(106, F_SETSIG, SIGUSR2);
        fcntl(106, F_SETOWN, getpid());
        if (fork() == 0) { close(105); puts("ready"); fflush(stdout); for (;;) pause(); }
        for (;;) pause();
      }
      """;

  private Victim victim;
  private Collected collected;

  @BeforeAll
  void collect() {
    victim = Victim.start(SOURCE);
    collected = Collected.from(victim);
  }

  @AfterAll
  void end() {
    victim.close();
  }

  @Test
  void aDuplicateAndAnInheritedDescriptorAreOneOpenFileAndASecondOpenIsAnother() {
    ProcessImage child = collected.image().getProcesses(1);
    int id = collected.file(100).getId();
    assertThat(collected.file(101).getId()).isEqualTo(id);
    assertThat(collected.file(child, 100).getId()).isEqualTo(id);
    assertThat(collected.file(102).getId()).isNotEqualTo(id);
    assertThat(child.getDescriptorsList()).noneMatch(descriptor -> descriptor.getFd() == 105);
    assertThat(collected.root().getDescriptorsList())
        .anyMatch(descriptor -> descriptor.getFd() == 101 && descriptor.getCloseOnExec())
        .anyMatch(descriptor -> descriptor.getFd() == 100 && !descriptor.getCloseOnExec());
  }

  @Test
  void aRegularFileHasItsPathFlagsAndPosition() throws InvalidProtocolBufferException {
    OpenFile file = collected.file(100);
    assertThat(file.getKind()).isEqualTo("regular");
    assertThat(file.getPosition()).isEqualTo(4);
    assertThat(file.getFlags() & (Constants.O_ACCMODE | Constants.O_APPEND))
        .isEqualTo(Constants.O_RDWR | Constants.O_APPEND);
    RegularFile state = RegularFile.parseFrom(file.getState());
    assertThat(state.getPath().toStringUtf8()).isEqualTo(victim.directory().resolve("data").toString());
    assertThat(state.getSizeBytes()).isEqualTo(11);
    assertThat(state.getMode() & 0777).isEqualTo(0640);
    assertThat(state.getGhostId()).isZero();
  }

  @Test
  void theContentsOfAnUnlinkedFileAreASourceOfPages() throws InvalidProtocolBufferException {
    RegularFile state = RegularFile.parseFrom(collected.file(103).getState());
    GhostFile ghost = collected.image().getGhosts(0);
    assertThat(state.getGhostId()).isEqualTo(ghost.getId());
    assertThat(state.getPath().toStringUtf8()).isEqualTo(victim.directory().resolve("gone").toString());
    assertThat(collected.sources())
        .anyMatch(
            source ->
                source.kind() == ObjectSource.Kind.FILE_CONTENTS
                    && source.objectId() == ghost.getContentsObjectId()
                    && source.sizeBytes() == 7);
  }

  @Test
  void directoriesAndDevicesAreFoundAgainByPath() throws InvalidProtocolBufferException {
    assertThat(Directory.parseFrom(collected.file(104).getState()).getPath().toStringUtf8()).isEqualTo(victim.directory().toString());
    Device device = Device.parseFrom(collected.file(105).getState());
    assertThat(device.getPath().toStringUtf8()).isEqualTo("/dev/urandom");
    assertThat(device.getMajor()).isEqualTo(1);
    assertThat(device.getMinor()).isEqualTo(9);
  }

  @Test
  void whatIsInAPipeIsCarriedOnceAndStaysThere() throws InvalidProtocolBufferException {
    Pipe readEnd = Pipe.parseFrom(collected.file(106).getState());
    Pipe writeEnd = Pipe.parseFrom(collected.file(107).getState());
    assertThat(readEnd.getPipeId()).isEqualTo(writeEnd.getPipeId());
    assertThat(readEnd.getHasBuffer()).isNotEqualTo(writeEnd.getHasBuffer());
    Pipe carrier = readEnd.getHasBuffer() ? readEnd : writeEnd;
    assertThat(carrier.getBuffered().toStringUtf8()).isEqualTo("pipedtwice");
    assertThat(carrier.getCapacityBytes()).isEqualTo(8192);
    Collected again = Collected.from(victim);
    Pipe same = Pipe.parseFrom(again.file(readEnd.getHasBuffer() ? 106 : 107).getState());
    assertThat(same.getBuffered().toStringUtf8()).isEqualTo("pipedtwice");
  }

  @Test
  void aPipeWhoseOtherEndIsClosedForGoodIsCarried() {
    assertThat(collected.file(113).getKind()).isEqualTo("pipe");
  }

  @Test
  void anEventCounterHasItsCount() throws InvalidProtocolBufferException {
    EventFd state = EventFd.parseFrom(collected.file(108).getState());
    assertThat(state.getCount()).isEqualTo(5);
    assertThat(state.getSemaphore()).isTrue();
  }

  @Test
  void anEventPollKnowsItsTargetsAlsoThoseWhoseNumberIsClosed() throws InvalidProtocolBufferException {
    Epoll state = Epoll.parseFrom(collected.file(109).getState());
    assertThat(state.getTargetsList())
        .anyMatch(
            target ->
                target.getFd() == 108
                    && target.getData() == 0x1234567890abcdefL
                    // EPOLLIN and EPOLLET, and the two that the kernel always adds, EPOLLERR and EPOLLHUP.
                    && target.getEvents() == 0x80000019
                    && target.getOpenFileId() == collected.file(108).getId())
        .anyMatch(target -> target.getFd() == 120 && target.getOpenFileId() == collected.file(106).getId())
        .hasSize(2);
    assertThat(collected.file(109).getNeedsList())
        .containsExactlyInAnyOrder(collected.file(108).getId(), collected.file(106).getId());
  }

  @Test
  void aTimerHasWhatIsLeft() throws InvalidProtocolBufferException {
    TimerFd state = TimerFd.parseFrom(collected.file(110).getState());
    assertThat(state.getClock()).isEqualTo(Constants.CLOCK_BOOTTIME);
    assertThat(state.getIntervalNanos()).isEqualTo(3_000_000_500L);
    assertThat(state.getValueNanos()).isBetween(800_000_000_000L, 1_000_000_000_000L);
  }

  @Test
  void aPeriodicTimerThatHasExpiredUnreadRunsOn() throws InvalidProtocolBufferException {
    TimerFd state = TimerFd.parseFrom(collected.file(114).getState());
    assertThat(state.getTicks()).isPositive();
    assertThat(state.getValueNanos()).isPositive();
    assertThat(state.getIntervalNanos()).isEqualTo(50_000_000_000L);
  }

  @Test
  void aSignalFileHasItsMask() throws InvalidProtocolBufferException {
    SignalFd state = SignalFd.parseFrom(collected.file(111).getState());
    assertThat(state.getMask()).isEqualTo(1L << (Constants.SIGUSR1 - 1) | 1L << (Constants.SIGTERM - 1));
  }

  @Test
  void aMemoryFileIsASharedMemoryObjectWithItsSealsAndAnyMappingOfIt() throws InvalidProtocolBufferException {
    int id = MemFd.parseFrom(collected.file(112).getState()).getSharedMemoryId();
    SharedMemory memory =
        collected.image().getSharedMemoriesList().stream().filter(found -> found.getId() == id).findFirst().orElseThrow();
    assertThat(memory.getKind()).isEqualTo(SharedMemory.Kind.MEMFD);
    assertThat(memory.getName()).isEqualTo("store");
    assertThat(memory.getSizeBytes()).isEqualTo(8192);
    assertThat(memory.getSeals()).isEqualTo(4);
    assertThat(collected.root().getAddressSpace().getVmasList())
        .anyMatch(vma -> vma.getSharedMemoryId() == id && vma.getFileOffsetBytes() == 4096);
    assertThat(collected.sources()).anyMatch(source -> source.objectId() == memory.getObjectId());
  }

  @Test
  void theOwnerOfAFileAndItsSignalAreCarried() {
    OpenFile file = collected.file(106);
    assertThat(file.getOwner().getPid()).isEqualTo(victim.pid());
    assertThat(file.getOwner().getType()).isEqualTo(1);
    assertThat(file.getOwner().getSignal()).isEqualTo(Constants.SIGUSR2);
    assertThat(collected.file(100).hasOwner()).isFalse();
  }
}
