// Threads inside calls that the freeze interrupts. No signal handler is ever set: each call must end by its own rules, neither
// early nor with EINTR. With the option "stopped" those calls may give EINTR that signal(7) names for stop signals: that is what a
// dumper leaves that is killed between the stop of a thread and its repair.
#include "victim.h"

#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define SHORT_MILLIS 400
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static atomic_bool stopping;
#define SLEEPERS 10
static _Atomic uint64_t turns[SLEEPERS];
static int silent_pipe[2], talking_pipe[2];
static _Atomic uint64_t entered;
static uint32_t futex_word;

static bool stopped;

static void check_slept(const char *what, uint64_t begin, long result, long expected, int error) {
  uint64_t slept = victim_nanos(CLOCK_MONOTONIC) - begin;
  EXPECT(result == expected, "%s returned %ld (%s), not %ld", what, result, strerror(error), expected);
  EXPECT(slept >= SHORT_MILLIS * 1000000ULL, "%s ended after %lu us of %d ms", what, slept / 1000, SHORT_MILLIS);
}

static void check_waited(const char *what, uint64_t begin, long result, long expected, int error) {
  if (!stopped || result != -1 || error != EINTR) check_slept(what, begin, result, expected, error);
}

static void *short_sleeps(void *argument) {
  int kind = (int)(intptr_t)argument;
  struct timespec time = {0, SHORT_MILLIS * 1000000L};
  sigset_t usr2;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &usr2, NULL);
  struct pollfd wait = {silent_pipe[0], POLLIN, 0};
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, silent_pipe[0], &event) == 0);
  while (!atomic_load(&stopping)) {
    uint64_t begin = victim_nanos(CLOCK_MONOTONIC);
    errno = 0;
    long result;
    fd_set readable;
    struct timeval select_time = {0, SHORT_MILLIS * 1000};
    struct timespec at;
    switch (kind) {
      case 0:
        result = syscall(SYS_nanosleep, &time, NULL);
        check_slept("nanosleep", begin, result, 0, errno);
        break;
      case 1:
        at.tv_sec = (time_t)(begin / 1000000000 + (begin % 1000000000 + (uint64_t)time.tv_nsec) / 1000000000);
        at.tv_nsec = (long)((begin + (uint64_t)time.tv_nsec) % 1000000000);
        result = syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        check_slept("clock_nanosleep to a point", begin, result, 0, errno);
        break;
      case 2:
        result = syscall(SYS_poll, &wait, 1, SHORT_MILLIS);
        check_slept("poll", begin, result, 0, errno);
        break;
      case 3:
        result = syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, &time, NULL, 0);
        EXPECT(errno == ETIMEDOUT, "futex wait ended with %s", strerror(errno));
        check_slept("futex", begin, result, -1, errno);
        break;
      case 4:
        FD_ZERO(&readable);
        FD_SET(silent_pipe[0], &readable);
        result = select(silent_pipe[0] + 1, &readable, NULL, NULL, &select_time);
        check_slept("select", begin, result, 0, errno);
        break;
      case 5:
        result = syscall(SYS_epoll_wait, epoll, &event, 1, SHORT_MILLIS);
        check_waited("epoll_wait", begin, result, 0, errno);
        break;
      case 6:
        result = syscall(SYS_epoll_pwait, epoll, &event, 1, SHORT_MILLIS, &usr2, 8L);
        check_waited("epoll_pwait", begin, result, 0, errno);
        break;
      case 7:
        result = syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8L);
        check_waited("epoll_pwait2", begin, result, 0, errno);
        break;
      case 8:
        result = syscall(SYS_rt_sigtimedwait, &usr2, NULL, &time, 8L);
        EXPECT(errno == EAGAIN || (stopped && errno == EINTR), "sigtimedwait ended with %s", strerror(errno));
        check_waited("sigtimedwait", begin, result, -1, errno);
        break;
      default:
        result = syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
        check_slept("clock_nanosleep", begin, result, 0, errno);
        break;
    }
    atomic_fetch_add(&turns[kind], 1);
  }
  close(epoll);
  return NULL;
}

static void *endless(void *argument) {
  int kind = (int)(intptr_t)argument;
  struct pollfd wait = {silent_pipe[0], POLLIN, 0};
  struct timespec hour = {3600, 0};
  char bytes[100];
  atomic_fetch_add(&entered, 1);
  errno = 0;
  if (kind == 0) {
    long result = syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, NULL, NULL, 0);
    EXPECT(result == 0 && atomic_load(&stopping), "an endless futex wait ended: %s", strerror(errno));
  } else if (kind == 1) {
    long result = read(talking_pipe[0], bytes, sizeof bytes);
    EXPECT(result == 5 && memcmp(bytes, "hello", 5) == 0 && atomic_load(&stopping), "a blocked read gave %ld: %s", result, strerror(errno));
  } else if (kind == 2) {
    long result = syscall(SYS_poll, &wait, 1, -1);
    EXPECT(result == 1 && atomic_load(&stopping), "an endless poll gave %ld: %s", result, strerror(errno));
  } else {
    int result = clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL);
    EXPECT(atomic_load(&stopping), "an hour of sleep ended early with %d", result);
  }
  return NULL;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  stopped = argc > 2 && strcmp(argv[2], "stopped") == 0;
  MUST(pipe(silent_pipe) == 0 && pipe(talking_pipe) == 0);
  pthread_t sleepers[SLEEPERS], waiters[4];
  for (int i = 0; i < SLEEPERS; i++) MUST(pthread_create(&sleepers[i], NULL, short_sleeps, (void *)(intptr_t)i) == 0);
  for (int i = 0; i < 4; i++) MUST(pthread_create(&waiters[i], NULL, endless, (void *)(intptr_t)i) == 0);
  MUST(victim_await_above(&entered, 3));
  victim_sleep_millis(50);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(5);
  uint64_t before[SLEEPERS];
  for (int i = 0; i < SLEEPERS; i++) before[i] = atomic_load(&turns[i]);
  for (int i = 0; i < SLEEPERS; i++) EXPECT(victim_await_above(&turns[i], before[i]), "sleeper %d does not wake up any more", i);
  atomic_store(&stopping, true);
  for (int i = 0; i < SLEEPERS; i++) pthread_join(sleepers[i], NULL);
  EXPECT(write(talking_pipe[1], "hello", 5) == 5 && write(silent_pipe[1], "x", 1) == 1, "the pipes are broken");
  syscall(SYS_futex, &futex_word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  for (int i = 0; i < 3; i++) pthread_join(waiters[i], NULL);
  victim_end();
}
