// eventfd, epoll, timerfd, signalfd: counts, registrations with their data, what was left of timers, signals not yet read.
#include "victim.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int epoll;
static _Atomic uint64_t ticks;

static void *count_ticks(void *argument) {
  (void)argument;
  struct epoll_event event;
  for (;;) {
    int got = epoll_wait(epoll, &event, 1, -1);
    if (got != 1) {
      victim_fail("epoll_wait gave %d: %s", got, strerror(errno));
      return NULL;
    }
    uint64_t value = 0;
    int fd = (int)(event.data.u64 & 0xffffffff);
    EXPECT(event.data.u64 >> 32 == 0xfeed, "epoll gave data %#lx", event.data.u64);
    EXPECT(read(fd, &value, sizeof value) == sizeof value && value > 0, "fd %d was said to be readable: %s", fd, strerror(errno));
    if (atomic_fetch_add(&ticks, 1) == UINT64_MAX / 2 || value == 1000000) return NULL;
  }
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  int counter = eventfd(5, EFD_NONBLOCK), semaphore = eventfd(3, EFD_SEMAPHORE | EFD_CLOEXEC), wake = eventfd(0, 0);
  int periodic = timerfd_create(CLOCK_MONOTONIC, 0), far = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), expired = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec every_4_ms = {{0, 4000000}, {0, 4000000}}, in_4000_s = {{0, 0}, {4000, 0}}, at_once = {{0, 0}, {0, 1}};
  MUST(timerfd_settime(periodic, 0, &every_4_ms, NULL) == 0 && timerfd_settime(far, 0, &in_4000_s, NULL) == 0 && timerfd_settime(expired, 0, &at_once, NULL) == 0);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigaddset(&mask, SIGRTMIN + 5);
  MUST(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
  int signals = signalfd(-1, &mask, SFD_NONBLOCK);
  MUST(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = 31}) == 0 && sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = 32}) == 0);
  epoll = epoll_create1(0);
  int quiet_epoll = epoll_create1(EPOLL_CLOEXEC);
  int pipe_fds[2];
  MUST(pipe(pipe_fds) == 0 && epoll >= 0 && quiet_epoll >= 0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0xfeedULL << 32 | (unsigned)periodic};
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, periodic, &event) == 0);
  event.data.u64 = 0xfeedULL << 32 | (unsigned)wake;
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0);
  event = (struct epoll_event){.events = EPOLLIN | EPOLLET | EPOLLRDHUP, .data.u64 = 0x123456789abcdefULL};
  MUST(epoll_ctl(quiet_epoll, EPOLL_CTL_ADD, pipe_fds[0], &event) == 0);
  event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 42};
  MUST(epoll_ctl(quiet_epoll, EPOLL_CTL_ADD, epoll, &event) == 0 && epoll_ctl(quiet_epoll, EPOLL_CTL_DEL, epoll, &event) == 0);
  // Added under a number that is closed later: epoll goes on watching what it refers to, as epoll(7) says.
  int twin = -1;
  if (argc > 2 && strcmp(argv[2], "twin") == 0) {
    twin = dup(counter);
    event.data.u64 = 43;
    MUST(epoll_ctl(quiet_epoll, EPOLL_CTL_ADD, twin, &event) == 0 && close(twin) == 0);
  }
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, count_ticks, NULL) == 0 && victim_await_above(&ticks, 2));
  victim_ready();
  struct itimerspec left_before, left;
  timerfd_gettime(far, &left_before);
  while (!victim_should_stop()) victim_sleep_millis(3);
  EXPECT(victim_await_above(&ticks, atomic_load(&ticks) + 3), "the periodic timerfd stopped");
  timerfd_gettime(far, &left);
  EXPECT(left.it_value.tv_sec > 0 && left.it_value.tv_sec <= left_before.it_value.tv_sec && left.it_value.tv_sec > 2000, "the far timerfd has %ld s left of %ld", left.it_value.tv_sec, left_before.it_value.tv_sec);
  uint64_t value = 0;
  EXPECT(read(expired, &value, sizeof value) == sizeof value && value == 1, "the expired timerfd gave %lu", value);
  EXPECT(read(counter, &value, sizeof value) == sizeof value && value == 5 && read(counter, &value, sizeof value) == -1 && errno == EAGAIN, "the eventfd had %lu, not 5", value);
  for (int i = 0; i < 3; i++) EXPECT(read(semaphore, &value, sizeof value) == sizeof value && value == 1, "the semaphore gave %lu", value);
  struct pollfd empty = {semaphore, POLLIN, 0};
  EXPECT(poll(&empty, 1, 0) == 0, "the semaphore has more than 3");
  EXPECT((fcntl(semaphore, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(counter, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(far, F_GETFL) & O_NONBLOCK) != 0, "flags changed");
  struct signalfd_siginfo info;
  for (int i = 31; i <= 32; i++) EXPECT(read(signals, &info, sizeof info) == sizeof info && info.ssi_int == i && (int)info.ssi_signo == SIGRTMIN + 5, "signalfd gave value %d, not %d", info.ssi_int, i);
  EXPECT(read(signals, &info, sizeof info) == -1 && errno == EAGAIN, "signalfd has a signal too many");
  kill(getpid(), SIGUSR1);
  EXPECT(read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1, "signalfd does not see a new signal");
  EXPECT(epoll_wait(quiet_epoll, &event, 1, 0) == 0, "the quiet epoll has an event");
  EXPECT(write(pipe_fds[1], "x", 1) == 1 && epoll_wait(quiet_epoll, &event, 1, 5000) == 1 && event.data.u64 == 0x123456789abcdefULL && event.events == EPOLLIN, "the quiet epoll gave %#lx", event.data.u64);
  EXPECT(epoll_wait(quiet_epoll, &event, 1, 0) == 0, "edge triggering is gone");
  EXPECT(epoll_ctl(epoll, EPOLL_CTL_DEL, pipe_fds[0], &event) == -1 && errno == ENOENT, "epoll watches what nobody added");
  if (argc > 2) {
    EXPECT(write(counter, &(uint64_t){2}, 8) == 8 && epoll_wait(quiet_epoll, &event, 1, 5000) == 1 && event.data.u64 == 43, "epoll forgot the closed twin");
  }
  EXPECT(write(wake, &(uint64_t){1000000}, 8) == 8, "the wake eventfd is broken");
  pthread_join(thread, NULL);
  victim_end();
}
