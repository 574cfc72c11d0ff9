// Event polls with many targets: added in reverse order, through numbers that were duplicated, closed or reused since, one in another,
// shared with a child that has other numbers; a target that was reported once and waits to be armed again. A timer set to a time of day.
#include "victim.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

enum { PIPES = 250 };

static int pipes[2][PIPES][2];

static void add(int epoll, int fd, uint64_t data, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void expect_report(const char *what, int epoll, uint64_t data) {
  struct epoll_event event = {0};
  int count = epoll_wait(epoll, &event, 1, 20000);
  EXPECT(count == 1 && event.data.u64 == data, "%s: %d reports, data %#lx, not %#lx", what, count, event.data.u64, data);
}

static void expect_silence(const char *what, int epoll) {
  struct epoll_event event = {0};
  EXPECT(epoll_wait(epoll, &event, 1, 0) == 0, "%s reports %#lx", what, event.data.u64);
}

static int targets_of(int epoll) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
  FILE *file = fopen(path, "r");
  int count = 0;
  while (fgets(line, sizeof line, file) != NULL) count += strncmp(line, "tfd:", 4) == 0;
  fclose(file);
  return count;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  int epoll[2] = {epoll_create1(0), epoll_create1(EPOLL_CLOEXEC)};
  for (int e = 0; e < 2; e++) {
    for (int i = 0; i < PIPES; i++) MUST(pipe2(pipes[e][i], O_NONBLOCK) == 0);
    for (int i = PIPES - 1; i >= 0; i--) {
      int fd = e == 0 ? i : PIPES - 1 - i;
      int number = pipes[e][fd][0];
      // Every fifth under two numbers.
      if (fd % 5 == 0) add(epoll[e], dup(pipes[e][fd][0]), (uint64_t)(e * 1000 + fd), EPOLLIN);
      // Every seventh under a number that is closed at once, every eleventh under one that belongs to another file later.
      if (fd % 7 == 3 || fd % 11 == 5) {
        number = dup(pipes[e][fd][0]);
        MUST(number >= 0);
      }
      add(epoll[e], number, (uint64_t)(e * 1000 + fd), EPOLLIN);
      if (fd % 7 == 3 || fd % 11 == 5) MUST(close(number) == 0);
      if (fd % 11 == 5 && fd % 7 != 3) {
        int reused = open("/dev/null", O_RDONLY | O_CLOEXEC);
        MUST(reused == number);
      }
    }
  }
  int nested = epoll_create1(0), outer = epoll_create1(0), counter = eventfd(1, 0), once = epoll_create1(0), quiet = eventfd(0, 0);
  add(nested, counter, 5, EPOLLIN);
  add(outer, nested, 6, EPOLLIN | EPOLLET);
  add(once, counter, 7, EPOLLIN | EPOLLONESHOT);
  add(once, quiet, 8, EPOLLIN | EPOLLOUT | EPOLLONESHOT);
  expect_report("the target for once", once, 7);
  expect_report("the other target for once", once, 8);
  expect_silence("the targets for once", once);
  struct itimerspec due = {{0, 0}, {0, 0}}, left;
  clock_gettime(CLOCK_REALTIME, &due.it_value);
  due.it_value.tv_sec += 500;
  int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC), boot_timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK);
  MUST(timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &due, NULL) == 0);
  struct itimerspec boot_due = {{7, 0}, {0, 0}};
  clock_gettime(CLOCK_BOOTTIME, &boot_due.it_value);
  boot_due.it_value.tv_sec += 800;
  MUST(timerfd_settime(boot_timer, TFD_TIMER_ABSTIME, &boot_due, NULL) == 0);
  int targets[2] = {targets_of(epoll[0]), targets_of(epoll[1])};
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    // The same event polls, but hardly any number in common.
    for (int i = 0; i < PIPES; i++) close(pipes[1][i][0]);
    victim_sleep_millis(1);
    while (!victim_should_stop()) victim_sleep_millis(3);
    for (int e = 0; e < 2; e++) {
      for (int i = 0; i < PIPES; i += 2) EXPECT(write(pipes[e][i][1], "x", 1) == 1, "the child cannot write: %s", strerror(errno));
    }
    _exit(0);
  }
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  EXPECT(targets_of(epoll[0]) == targets[0] && targets_of(epoll[1]) == targets[1], "%d and %d targets, not %d and %d", targets_of(epoll[0]), targets_of(epoll[1]), targets[0], targets[1]);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
  for (int e = 0; e < 2; e++) {
    struct epoll_event events[2 * PIPES];
    int count = epoll_wait(epoll[e], events, 2 * PIPES, 20000), seen[PIPES] = {0};
    EXPECT(count == PIPES / 2 + PIPES / 10, "event poll %d reports %d", e, count);
    for (int i = 0; i < count; i++) seen[events[i].data.u64 % 1000 % PIPES]++;
    for (int i = 0; i < PIPES; i++) EXPECT(seen[i] == (i % 2 != 0 ? 0 : i % 5 == 0 ? 2 : 1), "pipe %d of event poll %d is reported %d times", i, e, seen[i]);
  }
  expect_report("the nested event poll", nested, 5);
  expect_report("the outer event poll", outer, 6);
  expect_silence("the targets for once, moved,", once);
  struct epoll_event again = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 9};
  EXPECT(epoll_ctl(once, EPOLL_CTL_MOD, counter, &again) == 0, "the target for once cannot be armed: %s", strerror(errno));
  expect_report("the target that was armed again", once, 9);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  EXPECT(timerfd_gettime(timer, &left) == 0 && labs(now.tv_sec + left.it_value.tv_sec - due.it_value.tv_sec) <= 2, "the timer set to a time of day has %ld s left at %ld", left.it_value.tv_sec, now.tv_sec);
  EXPECT(timerfd_gettime(boot_timer, &left) == 0 && left.it_value.tv_sec > 100 && left.it_value.tv_sec <= 800 && left.it_interval.tv_sec == 7, "the other timer has %ld s left", left.it_value.tv_sec);
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", timer);
  FILE *file = fopen(path, "r");
  EXPECT(fread(text, 1, sizeof text - 1, file) > 0 && strstr(text, "settime flags: 03") != NULL, "the timer has lost its flags: %s", text);
  fclose(file);
  victim_end();
}
