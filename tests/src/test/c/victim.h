// What every victim shares: its work directory, how it says that it is ready, how it is told to stop, how it reports.
//
// A victim gets its work directory as first argument. It sets its state up, calls victim_ready(), which writes its pid to the file
// "pid" there, and does its work until the file "stop" appears. Then it checks itself and calls victim_end(), which writes
// "result": one line "FAIL <what broke>" for each thing that broke, and "PASS" when nothing did.
#ifndef PAGELIFT_VICTIM_H
#define PAGELIFT_VICTIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 4096UL

void victim_begin(int argc, char **argv);
void victim_ready(void);
bool victim_should_stop(void);
_Noreturn void victim_end(void);

// Records a failure; any thread or child process may call it.
void victim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Ends at once when a call of the set-up did not work: the victim could not even begin.
_Noreturn void victim_die(const char *what);

#define EXPECT(condition, ...) \
  do { \
    if (!(condition)) victim_fail(__VA_ARGS__); \
  } while (0)
#define MUST(condition) \
  do { \
    if (!(condition)) victim_die(#condition); \
  } while (0)

// Path of a file in the work directory; the caller never frees it.
char *victim_path(const char *name);
uint64_t victim_nanos(clockid_t clock);
// Sleeps the whole time, whatever signals come.
void victim_sleep_millis(long millis);
// Waits until the condition's counter is above `value`; false when it did not happen in 20 s.
bool victim_await_above(_Atomic uint64_t *counter, uint64_t value);
// A page of bytes that depend on both numbers and repeat nowhere.
void victim_fill(void *page, uint64_t number, uint64_t version);
bool victim_check(const void *page, uint64_t number, uint64_t version);
uint64_t victim_random(uint64_t *state);

// Whether reading, or writing, at an address raises SIGSEGV or SIGBUS. Writing puts back what was there.
bool victim_faults(volatile char *address, bool write);
// Remembers all mappings with their protection, path and flags (smaps); the next call says what has changed since.
void victim_remember_mappings(void);
void victim_expect_same_mappings(void);

#endif
