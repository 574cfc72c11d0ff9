// Descriptors of processes and of files about processes: /proc of living and ended ones, namespaces, links, pidfds of oneself, of a
// thread, of a child, of a zombie and of ended processes; a descriptor that was fetched from a child.
#include "victim.h"

#include <poll.h>
#include <sys/ioctl.h>

static int pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

static void *sleeper(void *tid) {
  atomic_store((_Atomic int *)tid, (int)syscall(SYS_gettid));
  for (;;) pause();
  return NULL;
}

static void expect_link(const char *what, int fd, const char *wanted) {
  char entry[64], link[256];
  snprintf(entry, sizeof entry, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(entry, link, sizeof link - 1);
  link[length < 0 ? 0 : length] = 0;
  EXPECT(strcmp(link, wanted) == 0, "%s is %s, not %s", what, link, wanted);
}

static bool says(int fd, const char *text) {
  char content[4096];
  ssize_t length = pread(fd, content, sizeof content - 1, 0);
  content[length < 0 ? 0 : length] = 0;
  return strstr(content, text) != NULL;
}

static bool readable(int fd) {
  struct pollfd poll_fd = {fd, POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

static int exit_status(int pidfd) {
  struct { uint64_t mask, cgroup; uint32_t ids[11]; int32_t exit; } info = {.mask = 8};
  ioctl(pidfd, 0xc040ff0bUL, &info);
  return (info.mask & 8) != 0 ? info.exit : -1;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  char path[64], text[64];
  static _Atomic int tid;
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, sleeper, &tid) == 0);
  while (atomic_load(&tid) == 0) victim_sleep_millis(1);
  int pipe_fds[2];
  MUST(pipe(pipe_fds) == 0);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    int own = open("/dev/null", O_RDONLY);
    dup2(own, 200);
    for (;;) pause();
  }
  pid_t zombie = fork();
  if (zombie == 0) _exit(42);
  pid_t ended = fork();
  if (ended == 0) for (;;) pause();
  // Of an ended process: its status, its directory, its pidfd twice and once more in a child, its exit status.
  snprintf(path, sizeof path, "/proc/%d/status", ended);
  int ended_status = open(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/%d", ended);
  int ended_directory = open(path, O_RDONLY | O_DIRECTORY);
  int ended_pidfd = pidfd_open(ended, 0), ended_pidfd2 = pidfd_open(ended, O_NONBLOCK);
  MUST(ended_status >= 0 && ended_directory >= 0 && ended_pidfd >= 0 && ended_pidfd2 >= 0);
  MUST(kill(ended, SIGTERM) == 0 && waitpid(ended, NULL, 0) == ended);
  pid_t other = fork();
  if (other == 0) _exit(7);
  int other_pidfd = pidfd_open(other, 0);
  MUST(other_pidfd >= 0 && waitpid(other, NULL, 0) == other);
  int ended_exit = exit_status(ended_pidfd), other_exit = exit_status(other_pidfd);
  // Of living ones.
  int self_pidfd = pidfd_open(getpid(), 0), thread_pidfd = pidfd_open(tid, O_EXCL), child_pidfd = pidfd_open(child, 0), zombie_pidfd = pidfd_open(zombie, 0);
  MUST(self_pidfd >= 0 && child_pidfd >= 0 && zombie_pidfd >= 0);
  int self_status = open("/proc/self/status", O_RDONLY), self_mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC), thread_comm = -1, self_maps = open("/proc/self/maps", O_RDONLY), self_directory = open("/proc/self", O_RDONLY | O_DIRECTORY);
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
  thread_comm = open(path, O_RDWR);
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  int child_stat = open(path, O_RDONLY), self_exe = open("/proc/self/exe", O_PATH | O_NOFOLLOW), self_link = open("/proc/self", O_PATH | O_NOFOLLOW);
  MUST(self_status >= 0 && self_mem >= 0 && thread_comm >= 0 && self_maps >= 0 && self_directory >= 0 && child_stat >= 0 && self_exe >= 0 && self_link >= 0);
  MUST(read(self_maps, text, 30) == 30);
  int net = open("/proc/self/ns/net", O_RDONLY), uts_link = open("/proc/self/ns/uts", O_PATH | O_NOFOLLOW), ns_directory = open("/proc/self/ns", O_RDONLY | O_DIRECTORY);
  struct stat net_before, now;
  MUST(net >= 0 && uts_link >= 0 && ns_directory >= 0 && fstat(net, &net_before) == 0);
  int meminfo = open("/proc/meminfo", O_RDONLY), ostype = open("/proc/sys/kernel/ostype", O_RDONLY), online = open("/sys/devices/system/cpu/online", O_RDONLY);
  MUST(meminfo >= 0 && ostype >= 0 && online >= 0);
  // A descriptor of the child, fetched: the same open file.
  victim_sleep_millis(50);
  int fetched = (int)syscall(SYS_pidfd_getfd, child_pidfd, 200, 0);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  EXPECT(read(ended_status, text, sizeof text) == -1 && errno == ESRCH, "the status of an ended process can be read");
  EXPECT(openat(ended_directory, "status", O_RDONLY) == -1, "the directory of an ended process has files");
  snprintf(path, sizeof path, "/proc/%d/status", ended);
  expect_link("the status of an ended process", ended_status, path);
  struct stat a, b;
  EXPECT(fstat(ended_pidfd, &a) == 0 && fstat(ended_pidfd2, &b) == 0 && a.st_ino == b.st_ino, "two pidfds of one process became different");
  EXPECT(fstat(other_pidfd, &b) == 0 && a.st_ino != b.st_ino, "pidfds of two processes became one");
  EXPECT(readable(ended_pidfd) && readable(other_pidfd), "the pidfd of an ended process does not poll readable");
  EXPECT(syscall(SYS_pidfd_send_signal, ended_pidfd, 0, NULL, 0) == -1 && errno == ESRCH, "the pidfd of an ended process stands for somebody");
  EXPECT(exit_status(ended_pidfd) == ended_exit && exit_status(other_pidfd) == other_exit, "ended processes ended with %#x and %#x, not %#x and %#x", exit_status(ended_pidfd), exit_status(other_pidfd), ended_exit, other_exit);
  EXPECT((fcntl(ended_pidfd2, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(ended_pidfd, F_GETFL) & O_NONBLOCK) == 0 && (fcntl(ended_pidfd, F_GETFD) & FD_CLOEXEC) != 0, "flags of pidfds changed");
  EXPECT(syscall(SYS_pidfd_send_signal, self_pidfd, 0, NULL, 0) == 0 && !readable(self_pidfd), "the own pidfd: %s", strerror(errno));
  if (thread_pidfd >= 0) EXPECT(syscall(SYS_pidfd_send_signal, thread_pidfd, 0, NULL, 0) == 0 && (fcntl(thread_pidfd, F_GETFL) & O_EXCL) != 0, "the pidfd of a thread: %s", strerror(errno));
  EXPECT(readable(zombie_pidfd), "the zombie's pidfd is not readable");
  siginfo_t waited = {0};
  EXPECT(waitid(P_PIDFD, (id_t)zombie_pidfd, &waited, WEXITED) == 0 && waited.si_pid == zombie && waited.si_status == 42, "the zombie gave %d", waited.si_status);
  snprintf(text, sizeof text, "Pid:\t%d\n", getpid());
  EXPECT(says(self_status, text), "the own status is somebody else's");
  snprintf(text, sizeof text, "%d (procfiles)", child);
  EXPECT(says(child_stat, text), "the child's stat is somebody else's");
  char value = 'x', word[8] = "memory";
  EXPECT(pread(self_mem, &value, 1, (off_t)(uintptr_t)word) == 1 && value == 'm' && (fcntl(self_mem, F_GETFD) & FD_CLOEXEC) != 0, "the own memory is %c", value);
  EXPECT(write(thread_comm, "renamed", 7) == 7 && says(thread_comm, "renamed"), "the thread's name: %s", strerror(errno));
  EXPECT(lseek(self_maps, 0, SEEK_CUR) == 30 && says(self_maps, "procfiles"), "maps are at %ld", lseek(self_maps, 0, SEEK_CUR));
  EXPECT(faccessat(self_directory, "task", F_OK, 0) == 0, "the own directory is empty");
  snprintf(path, sizeof path, "/proc/%d/exe", getpid());
  expect_link("the link to the program", self_exe, path);
  ssize_t length = readlinkat(self_exe, "", text, sizeof text - 1);
  EXPECT(length > 0 && (fcntl(self_exe, F_GETFL) & O_PATH) != 0, "the link to the program cannot be read");
  expect_link("the link to oneself", self_link, "/proc/self");
  EXPECT(fstat(net, &now) == 0 && now.st_ino == net_before.st_ino && now.st_dev == net_before.st_dev, "the namespace is another one");
  length = readlinkat(uts_link, "", text, sizeof text - 1);
  EXPECT(length > 4 && memcmp(text, "uts:", 4) == 0 && faccessat(ns_directory, "net", F_OK, 0) == 0, "the namespaces are gone");
  EXPECT(says(meminfo, "MemTotal") && says(ostype, "Linux") && says(online, "0"), "files of the kernel are gone");
  EXPECT(fetched < 0 || syscall(SYS_kcmp, getpid(), child, 0, fetched, 200) == 0, "the fetched descriptor is another open file");
  EXPECT(syscall(SYS_pidfd_send_signal, child_pidfd, SIGKILL, NULL, 0) == 0 && waitpid(child, NULL, 0) == child && readable(child_pidfd), "the child's pidfd: %s", strerror(errno));
  victim_end();
}
