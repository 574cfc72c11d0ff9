// Periodic POSIX timers whose last signal stood for many expirations: the count is told as long as no other signal comes.
#include "victim.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#define TIMERS 3
// Nothing comes while the victim is moved. Clocks that tell the date have been running for many of them.
#define INTERVAL_SECONDS 1200

static const int counts[TIMERS] = {37, 1, 5};
static const clockid_t clocks[TIMERS] = {CLOCK_REALTIME, CLOCK_REALTIME, CLOCK_TAI};
static timer_t timers[TIMERS];

// Starts it so that it has expired count + 1 times, the last time half an interval ago, and takes the one signal for all of them.
static void miss(int index, sigset_t *set) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + index, .sigev_value.sival_int = index};
  if (index == 2) {
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  }
  MUST(timer_create(clocks[index], &event, &timers[index]) == 0);
  struct timespec now;
  MUST(clock_gettime(clocks[index], &now) == 0);
  time_t first = now.tv_sec + INTERVAL_SECONDS / 2 - (counts[index] + 1) * INTERVAL_SECONDS;
  struct itimerspec spec = {{INTERVAL_SECONDS, 0}, {first, now.tv_nsec}};
  MUST(timer_settime(timers[index], TIMER_ABSTIME, &spec, NULL) == 0);
  struct timespec bound = {60, 0};
  siginfo_t info;
  MUST(sigtimedwait(set, &info, &bound) == SIGRTMIN + index);
  MUST(timer_getoverrun(timers[index]) == counts[index]);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < TIMERS; i++) sigaddset(&set, SIGRTMIN + i);
  MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  for (int i = 0; i < TIMERS; i++) miss(i, &set);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  for (int i = 0; i < TIMERS; i++) {
    struct itimerspec spec;
    EXPECT(timer_getoverrun(timers[i]) == counts[i], "timer %d has %d overruns and had %d", i, timer_getoverrun(timers[i]), counts[i]);
    EXPECT(timer_gettime(timers[i], &spec) == 0 && spec.it_interval.tv_sec == INTERVAL_SECONDS && spec.it_value.tv_sec < INTERVAL_SECONDS / 2 + 1 && spec.it_value.tv_sec > 0, "timer %d has %ld s left of %ld", i, (long)spec.it_value.tv_sec, (long)spec.it_interval.tv_sec);
  }
  struct timespec none = {0, 0};
  EXPECT(sigtimedwait(&set, NULL, &none) == -1 && errno == EAGAIN, "a signal came that no timer sent");
  victim_end();
}
