/*
 * marksman TARGET DUMPER DELAY_MICROS: kills DUMPER with SIGKILL DELAY_MICROS after TARGET's first thread got a tracer.
 * Exit 0: the target was traced when the shot was fired. 1: it was fired too late, or the dumper had ended by itself.
 *
 * A freeze may last one millisecond, less than a busy machine's scheduler lets an ordinary process wait for its turn;
 * hence a real-time policy.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int traced(int status) {
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

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: marksman TARGET DUMPER DELAY_MICROS\n");
    return 2;
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/status", arguments[1]);
  int status = open(path, O_RDONLY);
  pid_t dumper = atoi(arguments[2]);
  long delay = atol(arguments[3]);
  struct sched_param priority = {.sched_priority = 1};
  if (status < 0 || sched_setscheduler(0, SCHED_FIFO, &priority)) {
    perror("marksman");
    return 2;
  }
  /* A minute is more than any start of the dumper takes. The pauses leave the processor to the others. */
  long end = now() + 60000000;
  while (!traced(status)) {
    if (kill(dumper, 0) || now() > end) {
      return 1;
    }
    usleep(20);
  }
  for (long shot = now() + delay; now() < shot;) {
  }
  int hit = traced(status);
  kill(dumper, SIGKILL);
  return hit ? 0 : 1;
}
