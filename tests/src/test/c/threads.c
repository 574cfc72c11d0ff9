// Threads with thread-local storage that pass a token round by mutex and condition, and count under one mutex.
#include "victim.h"

#define THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t passed = PTHREAD_COND_INITIALIZER;
static int holder;
static uint64_t shared_count;
static _Atomic uint64_t rounds[THREADS];
static atomic_bool stopping;
static __thread uint64_t local_count;
static __thread char local_name[64] = "fresh";

static void *run(void *argument) {
  int self = (int)(intptr_t)argument;
  pid_t tid = gettid();
  pthread_t handle = pthread_self();
  char name[16];
  snprintf(name, sizeof name, "victim-%d", self);
  MUST(pthread_setname_np(handle, name) == 0);
  snprintf(local_name, sizeof local_name, "thread %d of tid %d", self, (int)tid);
  char *address = local_name;
  while (!atomic_load(&stopping)) {
    pthread_mutex_lock(&mutex);
    while (holder != self && !atomic_load(&stopping)) pthread_cond_wait(&passed, &mutex);
    holder = (self + 1) % THREADS;
    shared_count++;
    local_count++;
    pthread_cond_broadcast(&passed);
    pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&rounds[self], 1);
    char expected[64];
    snprintf(expected, sizeof expected, "thread %d of tid %d", self, (int)tid);
    EXPECT(strcmp(local_name, expected) == 0, "thread %d has the local storage of another: %s", self, local_name);
    EXPECT(address == local_name && pthread_equal(handle, pthread_self()), "local storage of thread %d moved", self);
    EXPECT(gettid() == tid, "thread %d had tid %d and has %d", self, (int)tid, (int)gettid());
    char now[16];
    EXPECT(pthread_getname_np(handle, now, sizeof now) == 0 && strcmp(now, name) == 0, "thread %d lost its name", self);
    if (self == 0) victim_sleep_millis(1);
  }
  EXPECT(local_count == atomic_load(&rounds[self]), "thread %d counted %lu times but has %lu in local storage", self, atomic_load(&rounds[self]), local_count);
  return (void *)(intptr_t)(self + 1000);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) MUST(pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i) == 0);
  MUST(victim_await_above(&rounds[THREADS - 1], 3));
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(5);
  uint64_t before = atomic_load(&rounds[0]);
  EXPECT(victim_await_above(&rounds[0], before + 2), "the token does not go round any more");
  atomic_store(&stopping, true);
  pthread_mutex_lock(&mutex);
  pthread_cond_broadcast(&passed);
  pthread_mutex_unlock(&mutex);
  uint64_t sum = 0;
  for (int i = 0; i < THREADS; i++) {
    void *result = NULL;
    EXPECT(pthread_join(threads[i], &result) == 0, "thread %d cannot be joined", i);
    EXPECT(result == (void *)(intptr_t)(i + 1000), "thread %d returned something else", i);
    sum += atomic_load(&rounds[i]);
  }
  EXPECT(sum == shared_count, "%lu rounds but a shared count of %lu", sum, shared_count);
  victim_end();
}
