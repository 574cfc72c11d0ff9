// Interval timers and POSIX timers, running and nearly idle, with the ids that they had.
#include "victim.h"

#include <sys/time.h>

static _Atomic uint64_t alarms, periodic, threaded;
static atomic_int wrong;
static pid_t timer_thread;
static atomic_bool thread_stop;

static void on_alarm(int signal) {
  (void)signal;
  atomic_fetch_add(&alarms, 1);
}

static void on_timer(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (info->si_code != SI_TIMER) atomic_store(&wrong, 1);
  if (signal == SIGRTMIN + 3) {
    if (info->si_value.sival_int != 4711) atomic_store(&wrong, 2);
    atomic_fetch_add(&periodic, 1);
  } else {
    if (gettid() != timer_thread) atomic_store(&wrong, 3);
    if (info->si_value.sival_int != 815) atomic_store(&wrong, 4);
    atomic_fetch_add(&threaded, 1);
  }
}

// The kernel's own timer call: glibc's timer_t hides the kernel's id.
static int create(clockid_t clock, int notify, int signal, int value, pid_t tid) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal, .sigev_value.sival_int = value};
  event._sigev_un._tid = tid;
  int id = -1;
  MUST(syscall(SYS_timer_create, clock, &event, &id) == 0);
  return id;
}

static void arm(int id, long seconds, long interval_millis) {
  struct itimerspec spec = {.it_value = {seconds, seconds == 0 ? interval_millis * 1000000 : 0}, .it_interval = {0, interval_millis * 1000000}};
  MUST(syscall(SYS_timer_settime, id, 0, &spec, NULL) == 0);
}

static void *run(void *argument) {
  timer_thread = gettid();
  int id = create(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN + 4, 815, timer_thread);
  arm(id, 0, 7);
  *(int *)argument = id;
  while (!atomic_load(&thread_stop)) victim_sleep_millis(50);
  return NULL;
}

static int64_t left_millis(int id) {
  struct itimerspec spec;
  if (syscall(SYS_timer_gettime, id, &spec) != 0) return -1;
  return spec.it_value.tv_sec * 1000 + spec.it_value.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  MUST(sigaction(SIGALRM, &action, NULL) == 0);
  struct sigaction timed = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
  MUST(sigaction(SIGRTMIN + 3, &timed, NULL) == 0 && sigaction(SIGRTMIN + 4, &timed, NULL) == 0);
  // Holes in the ids: they must come back under the numbers that the program knows.
  for (int i = 0; i < 5; i++) MUST(syscall(SYS_timer_delete, create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0)) == 0);
  int every_5_ms = create(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN + 3, 4711, 0);
  MUST(syscall(SYS_timer_delete, create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0)) == 0);
  int far = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 3, 1, 0);
  int idle = create(CLOCK_BOOTTIME, SIGEV_NONE, 0, 0, 0);
  arm(every_5_ms, 0, 5);
  arm(far, 5000, 0);
  struct itimerval fast = {{0, 4000}, {0, 4000}}, slow = {{1000, 0}, {900, 0}};
  MUST(setitimer(ITIMER_REAL, &fast, NULL) == 0 && setitimer(ITIMER_VIRTUAL, &slow, NULL) == 0 && setitimer(ITIMER_PROF, &slow, NULL) == 0);
  pthread_t thread;
  int thread_timer = -1;
  MUST(pthread_create(&thread, NULL, run, &thread_timer) == 0);
  MUST(victim_await_above(&threaded, 0) && victim_await_above(&periodic, 0) && victim_await_above(&alarms, 0));
  victim_ready();
  int64_t far_last = left_millis(far);
  while (!victim_should_stop()) {
    int64_t far_now = left_millis(far);
    EXPECT(far_now > 0 && far_now <= far_last, "the far timer has %ld ms left after %ld ms", far_now, far_last);
    far_last = far_now;
    victim_sleep_millis(3);
  }
  EXPECT(far_last > 3600 * 1000, "the far timer lost its time: %ld ms left of 5000 s", far_last);
  EXPECT(victim_await_above(&alarms, atomic_load(&alarms) + 2), "ITIMER_REAL stopped");
  EXPECT(victim_await_above(&periodic, atomic_load(&periodic) + 2), "the periodic POSIX timer stopped");
  EXPECT(victim_await_above(&threaded, atomic_load(&threaded) + 2), "the timer with SIGEV_THREAD_ID stopped");
  EXPECT(atomic_load(&wrong) == 0, "a timer signal came with wrong contents (%d)", atomic_load(&wrong));
  EXPECT(left_millis(idle) == 0 && left_millis(thread_timer) >= 0, "an idle timer or the thread's timer is gone");
  struct itimerval left;
  getitimer(ITIMER_VIRTUAL, &left);
  EXPECT(left.it_interval.tv_sec == 1000 && left.it_value.tv_sec > 0 && left.it_value.tv_sec <= 900, "ITIMER_VIRTUAL has %ld s left every %ld s", left.it_value.tv_sec, left.it_interval.tv_sec);
  getitimer(ITIMER_PROF, &left);
  EXPECT(left.it_interval.tv_sec == 1000 && left.it_value.tv_sec > 0 && left.it_value.tv_sec <= 900, "ITIMER_PROF has %ld s left every %ld s", left.it_value.tv_sec, left.it_interval.tv_sec);
  getitimer(ITIMER_REAL, &left);
  EXPECT(left.it_interval.tv_usec == 4000, "ITIMER_REAL has another interval");
  for (int id = 0; id < 16; id++) {
    bool ours = id == every_5_ms || id == far || id == idle || id == thread_timer;
    EXPECT((left_millis(id) >= 0) == ours, "timer id %d is %s", id, ours ? "gone" : "new");
  }
  atomic_store(&thread_stop, true);
  pthread_join(thread, NULL);
  victim_end();
}
