// Signal actions, masks, signals queued to the process and to threads in order, alternate stacks.
#include "victim.h"

#define QUEUED 12

static char alternate_stack[2][32768];
static int received[2][QUEUED * 3];
static int received_count[2];
static _Atomic uint64_t parked;
static atomic_bool release_threads;
static __thread int thread_number = -1;
static atomic_int usr1_count;

static void on_queued(int signal, siginfo_t *info, void *context) {
  (void)context;
  (void)signal;
  int self = thread_number;
  if (self < 0 || received_count[self] >= QUEUED * 3) return;
  char here;
  EXPECT(&here >= alternate_stack[self] && &here < alternate_stack[self] + sizeof alternate_stack[self], "a handler of thread %d ran off its alternate stack", self);
  EXPECT(info->si_code == SI_QUEUE && info->si_pid == getpid() && info->si_uid == getuid(), "siginfo of value %d lost its sender", info->si_value.sival_int);
  received[self][received_count[self]++] = info->si_value.sival_int;
}

static void on_usr1(int signal) {
  (void)signal;
  atomic_fetch_add(&usr1_count, 1);
}

static sigset_t set_of(int first, int second) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, first);
  if (second > 0) sigaddset(&set, second);
  return set;
}

static bool same_set(const sigset_t *one, const sigset_t *other) {
  for (int signal = 1; signal < 64; signal++) {
    if (sigismember(one, signal) != sigismember(other, signal)) return false;
  }
  return true;
}

static void *run(void *argument) {
  thread_number = (int)(intptr_t)argument;
  stack_t stack = {.ss_sp = alternate_stack[thread_number], .ss_size = sizeof alternate_stack[0]};
  MUST(sigaltstack(&stack, NULL) == 0);
  // Thread 0 takes the process's queue (SIGRTMIN+1), both take their own (SIGRTMIN+2).
  sigset_t mask = set_of(SIGRTMIN + 1, SIGRTMIN + 2);
  MUST(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
  for (int i = 0; i < QUEUED; i++) {
    union sigval value = {.sival_int = 1000 * (thread_number + 1) + i};
    MUST(pthread_sigqueue(pthread_self(), SIGRTMIN + 2, value) == 0);
  }
  sigset_t whole_mask;
  pthread_sigmask(SIG_BLOCK, NULL, &whole_mask);
  atomic_fetch_add(&parked, 1);
  while (!atomic_load(&release_threads)) victim_sleep_millis(3);
  sigset_t now;
  pthread_sigmask(SIG_BLOCK, NULL, &now);
  EXPECT(same_set(&whole_mask, &now), "the signal mask of thread %d changed", thread_number);
  stack_t stack_now;
  sigaltstack(NULL, &stack_now);
  EXPECT(stack_now.ss_sp == stack.ss_sp && stack_now.ss_size == stack.ss_size && stack_now.ss_flags == 0, "the alternate stack of thread %d changed", thread_number);
  sigset_t own = set_of(SIGRTMIN + 2, 0);
  pthread_sigmask(SIG_UNBLOCK, &own, NULL);
  EXPECT(received_count[thread_number] == QUEUED, "thread %d got %d of its %d queued signals", thread_number, received_count[thread_number], QUEUED);
  if (thread_number == 0) {
    sigset_t process_wide = set_of(SIGRTMIN + 1, 0);
    pthread_sigmask(SIG_UNBLOCK, &process_wide, NULL);
    EXPECT(received_count[0] == 2 * QUEUED, "thread 0 got %d of the process's %d queued signals", received_count[0] - QUEUED, QUEUED);
  }
  for (int i = 0; i < received_count[thread_number]; i++) {
    int expected = i < QUEUED ? 1000 * (thread_number + 1) + i : 7000 + i - QUEUED;
    EXPECT(received[thread_number][i] == expected, "queued signal %d of thread %d has value %d, not %d", i, thread_number, received[thread_number][i], expected);
  }
  return NULL;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  struct sigaction action = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigaddset(&action.sa_mask, SIGUSR2);
  MUST(sigaction(SIGRTMIN + 1, &action, NULL) == 0 && sigaction(SIGRTMIN + 2, &action, NULL) == 0);
  struct sigaction usr1 = {.sa_handler = on_usr1, .sa_flags = SA_NODEFER};
  MUST(sigaction(SIGUSR1, &usr1, NULL) == 0);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  struct sigaction before[65];
  for (int i = 1; i <= 64; i++) sigaction(i, NULL, &before[i]);
  sigset_t blocked = set_of(SIGRTMIN + 1, SIGUSR1);
  MUST(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
  sigset_t mask_before;
  pthread_sigmask(SIG_BLOCK, NULL, &mask_before);
  for (int i = 0; i < QUEUED; i++) MUST(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 7000 + i}) == 0);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) MUST(pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i) == 0);
  MUST(victim_await_above(&parked, 1));
  MUST(raise(SIGUSR1) == 0);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  for (int i = 1; i <= 64; i++) {
    struct sigaction now;
    if (sigaction(i, NULL, &now) != 0) continue;
    EXPECT(now.sa_sigaction == before[i].sa_sigaction && now.sa_flags == before[i].sa_flags && same_set(&now.sa_mask, &before[i].sa_mask), "the action of signal %d changed", i);
  }
  sigset_t mask_now, pending;
  pthread_sigmask(SIG_BLOCK, NULL, &mask_now);
  EXPECT(same_set(&mask_before, &mask_now), "the signal mask of the main thread changed");
  sigpending(&pending);
  EXPECT(sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGRTMIN + 1) == 1, "pending signals of the main thread are gone");
  EXPECT(atomic_load(&usr1_count) == 0, "a blocked signal was delivered");
  sigset_t usr1_only = set_of(SIGUSR1, 0);
  pthread_sigmask(SIG_UNBLOCK, &usr1_only, NULL);
  EXPECT(atomic_load(&usr1_count) == 1, "the pending SIGUSR1 came %d times", atomic_load(&usr1_count));
  kill(getpid(), SIGHUP);
  atomic_store(&release_threads, true);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  victim_end();
}
