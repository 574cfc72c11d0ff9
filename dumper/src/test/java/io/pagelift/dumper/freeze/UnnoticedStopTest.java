package io.pagelift.dumper.freeze;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.dumper.testing.Victim;
import io.pagelift.linux.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The calls of signal(7) that a stop ends with EINTR, with time limits: none of them notices a freeze, none ends early. */
class UnnoticedStopTest {
  private static final Duration BOUND = Duration.ofSeconds(10);

  /** Each thread waits once, a second and a half, for what never comes, and prints result, errno and whether it waited. */
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <pthread.h>
      #include <signal.h>
      #include <stdint.h>
      #include <stdio.h>
      #include <sys/epoll.h>
      #include <sys/ipc.h>
      #include <sys/sem.h>
      #include <sys/socket.h>
      #include <sys/syscall.h>
      #include <sys/time.h>
      #include <sys/un.h>
      #include <time.h>
      #include <unistd.h>
      static struct timespec limit = { 1, 500000000 };
      static int poll_fd, semaphores, pair[2], listener;
      static unsigned long aio;
      static sigset_t set;
      static long call(int kind) {
        struct epoll_event event;
        struct sembuf down = { 0, -1, 0 };
        char bytes[64];
        struct iovec part = { bytes, sizeof bytes };
        struct mmsghdr message = { .msg_hdr = { .msg_iov = &part, .msg_iovlen = 1 } };
        switch (kind) {
          case 0: return syscall(SYS_epoll_wait, poll_fd, &event, 1, 1500);
          case 1: return syscall(SYS_epoll_pwait, poll_fd, &event, 1, 1500, &set, 8L);
          case 2: return syscall(441 /* epoll_pwait2 */, poll_fd, &event, 1, &limit, 0, 8L);
          case 3: return semtimedop(semaphores, &down, 1, &limit);
          case 4: return syscall(SYS_rt_sigtimedwait, &set, 0, &limit, 8L);
          case 5: return recv(pair[0], bytes, sizeof bytes, 0);
          case 6: return read(pair[0], bytes, sizeof bytes);
          case 7: return recvmmsg(pair[0], &message, 1, 0, 0);
          case 8: return accept(listener, 0, 0);
          default: { char events[64]; return syscall(SYS_io_getevents, aio, 1, 1, events, &limit); }
        }
      }
      static void *wait_once(void *x) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        errno = 0;
        long result = call((intptr_t)x);
        int error = errno;
        clock_gettime(CLOCK_MONOTONIC, &to);
        long waited = (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec;
        printf("call %d: %ld %s %s\\n", (int)(intptr_t)x, result, error ? strerrorname_np(error) : "-", waited >= 1490000000L ? "whole" : "short");
        fflush(stdout);
        return 0;
      }
      int main(void) {
        sigemptyset(&set); sigaddset(&set, SIGUSR1); sigprocmask(SIG_BLOCK, &set, 0);
        poll_fd = epoll_create1(0);
        semaphores = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        bind(listener, (struct sockaddr *)&name, sizeof(sa_family_t));
        listen(listener, 1);
        struct timeval patience = { 1, 500000 };
        setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        syscall(SYS_io_setup, 1, &aio);
        pthread_t threads[10];
        for (int i = 0; i < 10; i++) pthread_create(&threads[i], 0, wait_once, (void *)(intptr_t)i);
        usleep(200000);
        puts("ready"); fflush(stdout);
        for (int i = 0; i < 10; i++) pthread_join(threads[i], 0);
        semctl(semaphores, 0, IPC_RMID);
        puts("done"); fflush(stdout);
        for (;;) pause();
      }
      """;

  private final TracerThread tracer = TracerThread.start();

  @AfterEach
  void close() {
    tracer.close();
  }

  @Test
  void aCallWithATimeLimitWaitsAllOfItAndSaysThatItPassed() {
    try (Victim victim = Victim.start(SOURCE)) {
      for (int i = 0; i < 3; i++) {
        try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
          assertThat(tree.root().zombie()).isFalse();
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
      victim.awaitOutput("done");
      assertThat(Deadline.inMillis(10_000).await(() -> victim.output().contains("done"))).isTrue();
      assertThat(victim.output())
          .contains("call 0: 0 - whole", "call 1: 0 - whole", "call 2: 0 - whole", "call 3: -1 EAGAIN whole", "call 4: -1 EAGAIN whole")
          .contains("call 5: -1 EAGAIN whole", "call 6: -1 EAGAIN whole", "call 7: -1 EAGAIN whole", "call 8: -1 EAGAIN whole")
          .contains("call 9: 0 - whole");
    }
  }
}
