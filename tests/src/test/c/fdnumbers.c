// Descriptor numbers, in a process and its child with tables of their own: spread up to the limit, thousands of them, above a limit
// that was lowered later; none of the tool's is left. Owners of descriptors: process, group, thread, with another user's rights; signals.
#include "victim.h"

#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

enum { MANY = 1500 };

static _Atomic int got_signal, got_fd;

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)context;
  atomic_store(&got_fd, info->si_fd);
  atomic_store(&got_signal, signal);
}

static int count_descriptors(void) {
  DIR *directory = opendir("/proc/self/fd");
  int count = -3;  // itself, and the two dots
  while (readdir(directory) != NULL) count++;
  closedir(directory);
  return count;
}

static void expect_count(const char *who, int fd, uint64_t wanted) {
  uint64_t value = 0;
  EXPECT(read(fd, &value, sizeof value) == sizeof value && value == wanted, "%s: fd %d has %lu, not %lu: %s", who, fd, value, wanted, strerror(errno));
}

static void expect_signal(const char *what, int signal, int fd) {
  for (int i = 0; i < 4000 && atomic_load(&got_signal) != signal; i++) victim_sleep_millis(5);
  EXPECT(atomic_load(&got_signal) == signal && (fd < 0 || atomic_load(&got_fd) == fd), "%s: signal %d of fd %d", what, atomic_load(&got_signal), atomic_load(&got_fd));
  atomic_store(&got_signal, 0);
}

static void owned_pipe(int ends[2], int type, pid_t owner, int signal) {
  struct f_owner_ex whom = {type, owner};
  MUST(pipe(ends) == 0 && fcntl(ends[0], F_SETOWN_EX, &whom) == 0 && fcntl(ends[0], F_SETSIG, signal) == 0 && fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_ASYNC) == 0);
}

static void expect_owner(const char *what, int fd, int type, pid_t owner, uid_t uid, uid_t euid) {
  struct f_owner_ex whom = {-1, -1};
  uid_t uids[2] = {99, 99};
  EXPECT(fcntl(fd, F_GETOWN_EX, &whom) == 0 && (int)whom.type == type && whom.pid == owner, "%s is owned by %d of type %d", what, whom.pid, whom.type);
  EXPECT(fcntl(fd, 17 /* F_GETOWNER_UIDS */, uids) == 0 && uids[0] == uid && uids[1] == euid, "%s has the rights of %u and %u", what, uids[0], uids[1]);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  struct rlimit limit;
  MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  int top = (int)(limit.rlim_max < 100000 ? limit.rlim_max - 1 : 99999), own = eventfd(7, EFD_SEMAPHORE);
  MUST(own >= 0 && dup2(own, top) == top && dup3(own, 1023, O_CLOEXEC) == 1023 && dup2(own, 1024) == 1024);
  for (int i = 0; i < MANY; i++) MUST(open("/dev/null", O_WRONLY) >= 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  MUST(sigaction(SIGRTMIN + 3, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0 && sigaction(SIGIO, &action, NULL) == 0);
  int by_process[2], by_group[2], by_thread[2], by_user[2], only_signal[2];
  owned_pipe(by_process, F_OWNER_PID, getpid(), SIGRTMIN + 3);
  owned_pipe(by_group, F_OWNER_PGRP, getpgrp(), SIGUSR2);
  owned_pipe(by_thread, F_OWNER_TID, getpid(), SIGRTMIN + 3);
  MUST(pipe(only_signal) == 0 && fcntl(only_signal[0], F_SETSIG, SIGUSR2) == 0);
  MUST(syscall(SYS_setresuid, 65534, 1234, 0) == 0);
  MUST(pipe(by_user) == 0 && fcntl(by_user[0], F_SETOWN, getpid()) == 0 && fcntl(by_user[0], F_SETFL, O_ASYNC) == 0);
  MUST(syscall(SYS_setresuid, 0, 0, 0) == 0);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    signal(SIGUSR2, SIG_IGN);
    int other = eventfd(3, EFD_SEMAPHORE);
    MUST(dup2(other, 1024) == 1024 && dup2(other, top) == top && dup2(other, 4000) == 4000);
    close(10);
    close(11);
    struct rlimit low = {64, limit.rlim_max};
    MUST(setrlimit(RLIMIT_NOFILE, &low) == 0);
    int before = count_descriptors();
    EXPECT(write(by_user[1], "r", 1) == 1, "cannot say that it is ready");
    while (!victim_should_stop()) victim_sleep_millis(3);
    EXPECT(count_descriptors() == before, "the child has %d descriptors, not %d", count_descriptors(), before);
    expect_count("the child", top, 1);
    expect_count("the child", 1024, 1);
    expect_count("the child", 4000, 1);
    EXPECT(fcntl(1023, F_GETFD) == FD_CLOEXEC, "flags of fd 1023 changed");
    _exit(0);
  }
  char byte = 0;
  MUST(read(by_user[0], &byte, 1) == 1);
  int before = count_descriptors();
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
  EXPECT(count_descriptors() == before, "%d descriptors, not %d", count_descriptors(), before);
  expect_count("the parent", top, 1);
  expect_count("the parent", 1024, 1);
  EXPECT(fcntl(1023, F_GETFD) == FD_CLOEXEC && fcntl(top, F_GETFD) == 0, "flags of fd 1023 changed");
  expect_owner("the pipe of the process", by_process[0], F_OWNER_PID, getpid(), 0, 0);
  expect_owner("the pipe of the group", by_group[0], F_OWNER_PGRP, getpgrp(), 0, 0);
  expect_owner("the pipe of the thread", by_thread[0], F_OWNER_TID, getpid(), 0, 0);
  expect_owner("the pipe of the user", by_user[0], F_OWNER_PID, getpid(), 65534, 1234);
  EXPECT(fcntl(only_signal[0], F_GETSIG) == SIGUSR2, "the signal without an owner is %d", fcntl(only_signal[0], F_GETSIG));
  // Whoever set that owner may not send signals to this process, so none comes.
  EXPECT(write(by_user[1], "x", 1) == 1 && atomic_load(&got_signal) == 0, "signal %d came with the rights of another user", atomic_load(&got_signal));
  EXPECT(write(by_process[1], "x", 1) == 1, "cannot write");
  expect_signal("the pipe of the process", SIGRTMIN + 3, by_process[0]);
  EXPECT(write(by_group[1], "x", 1) == 1, "cannot write");
  expect_signal("the pipe of the group", SIGUSR2, by_group[0]);
  EXPECT(write(by_thread[1], "x", 1) == 1, "cannot write");
  expect_signal("the pipe of the thread", SIGRTMIN + 3, by_thread[0]);
  victim_end();
}
