/*
 * marksman TARGET DUMPER FREEZE DELAY_MICROS: kills DUMPER with SIGKILL, DELAY_MICROS after the FREEZE-th time (from 1) that TARGET got a
 * tracer. Exit 0: TARGET was traced when the shot was fired. 1: it was fired too late. 3: the dumper ended before that freeze.
 * With a negative delay nothing is shot; instead it prints how many microseconds the freeze lasts.
 *
 * TARGET counts as traced while its first or its last thread is: threads are let go one after another. A freeze may last one
 * millisecond, less than a busy machine's scheduler lets an ordinary process wait for its turn; hence a real-time policy.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A minute is more than any start of the dumper takes. */
static const long longest_wait = 60000000;

static int first_thread, last_thread;
static pid_t dumper;

static int thread_traced(int status) {
  char text[1024];
  ssize_t length = pread(status, text, sizeof text - 1, 0);
  if (length <= 0) {
    fprintf(stderr, "the target is gone\n");
    exit(2);
  }
  text[length] = 0;
  const char *tracer = strstr(text, "TracerPid:\t");
  return tracer && tracer[11] != '0';
}

static int traced(void) {
  return thread_traced(first_thread) || thread_traced(last_thread);
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int open_status(const char *pid, int tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/task/%d/status", pid, tid);
  return open(path, O_RDONLY);
}

static int last_tid(const char *pid) {
  char path[64];
  int last = 0;
  snprintf(path, sizeof path, "/proc/%s/task", pid);
  DIR *tasks = opendir(path);
  for (struct dirent *task; tasks && (task = readdir(tasks));) {
    if (atoi(task->d_name) > last) last = atoi(task->d_name);
  }
  if (tasks) closedir(tasks);
  return last;
}

/* The pauses leave the processor to the others. */
static void await_traced(int wanted) {
  long end = now() + longest_wait;
  while (traced() != wanted) {
    if (kill(dumper, 0) || now() > end) exit(3);
    usleep(20);
  }
}

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: marksman TARGET DUMPER FREEZE DELAY_MICROS\n");
    return 2;
  }
  first_thread = open_status(arguments[1], atoi(arguments[1]));
  last_thread = open_status(arguments[1], last_tid(arguments[1]));
  dumper = atoi(arguments[2]);
  long delay = atol(arguments[4]);
  struct sched_param priority = {.sched_priority = 1};
  if (first_thread < 0 || last_thread < 0 || sched_setscheduler(0, SCHED_FIFO, &priority)) {
    perror("marksman");
    return 2;
  }
  for (int freeze = atoi(arguments[3]); freeze > 1; freeze--) {
    await_traced(1);
    await_traced(0);
  }
  await_traced(1);
  long begin = now();
  if (delay < 0) {
    await_traced(0);
    printf("%ld\n", now() - begin);
    return 0;
  }
  while (now() < begin + delay) {
  }
  int hit = traced();
  kill(dumper, SIGKILL);
  return hit ? 0 : 1;
}
