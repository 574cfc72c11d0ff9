// Restartable sequences (glibc registers them for each thread), robust mutexes, the address that is cleared when a thread ends.
#include "victim.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/rseq.h>

static pthread_mutex_t robust;
static atomic_bool die;
static _Atomic uint64_t holding;
static pid_t holder_tid;

static struct rseq *own_rseq(void) { return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset); }

// The kernel keeps cpu_id up to date only while the registration lives: bind to each processor in turn and look.
static void check_rseq(const char *who) {
  if (__rseq_size == 0) return;
  cpu_set_t all, one;
  sched_getaffinity(0, sizeof all, &all);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &all)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    uint32_t seen = *(volatile uint32_t *)&own_rseq()->cpu_id;
    EXPECT(seen == (uint32_t)cpu, "rseq of %s says processor %u on processor %d", who, seen, cpu);
  }
  sched_setaffinity(0, sizeof all, &all);
}

static void *hold_and_die(void *argument) {
  (void)argument;
  holder_tid = gettid();
  pthread_mutex_lock(&robust);
  atomic_fetch_add(&holding, 1);
  while (!atomic_load(&die)) victim_sleep_millis(3);
  check_rseq("a thread");
  return NULL;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  MUST(pthread_mutex_init(&robust, &attributes) == 0);
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, hold_and_die, NULL) == 0 && victim_await_above(&holding, 0));
  void *head_before, *head_now;
  size_t length;
  MUST(syscall(SYS_get_robust_list, holder_tid, &head_before, &length) == 0);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  check_rseq("the main thread");
  EXPECT(syscall(SYS_get_robust_list, holder_tid, &head_now, &length) == 0 && head_now == head_before, "the robust list moved");
  EXPECT(pthread_mutex_trylock(&robust) == EBUSY, "the robust mutex is not held any more");
  atomic_store(&die, true);
  // pthread_join waits for the address that the kernel clears at the thread's end.
  EXPECT(pthread_join(thread, NULL) == 0, "the thread cannot be joined");
  EXPECT(pthread_mutex_lock(&robust) == EOWNERDEAD, "the robust mutex did not notice its owner's death");
  victim_end();
}
