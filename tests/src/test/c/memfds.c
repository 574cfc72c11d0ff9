// memfds: flags, mode, position, seals, executed, opened again through /proc, mapped both ways; the same with shared anonymous memory
// that is opened through map_files.
#include "victim.h"

#include <sys/statfs.h>
#include <sys/vfs.h>

#define RW (PROT_READ | PROT_WRITE)
#define BYTES (8 * PAGE_BYTES)

static int plain, sealed, script, script_read_only, anonymous, anonymous_read_only, unsealable;
static char *shared, *private, *script_private, *script_shared, *anonymous_map, *anonymous_private, *anonymous_again;

static int again(int fd, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int opened = open(path, flags | O_CLOEXEC);
  MUST(opened >= 0);
  return opened;
}

static void *map(int protection, int flags, int fd) {
  void *at = mmap(NULL, BYTES, protection, flags, fd, 0);
  MUST(at != MAP_FAILED);
  return at;
}

static void set_up_plain(void) {
  plain = memfd_create("plain", 0);
  MUST(plain >= 0 && fchmod(plain, 0644) == 0 && fcntl(plain, F_SETFL, O_APPEND) == 0 && ftruncate(plain, BYTES) == 0);
  MUST(lseek(plain, 777, SEEK_SET) == 777);
  shared = map(RW, MAP_SHARED, plain);
  private = map(RW, MAP_PRIVATE, plain);
  for (uint64_t i = 0; i < 8; i++) victim_fill(shared + i * PAGE_BYTES, i, 1);
  victim_fill(private + 2 * PAGE_BYTES, 2, 2);
  sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  MUST(sealed >= 0 && ftruncate(sealed, BYTES) == 0);
  char *fill = map(RW, MAP_SHARED, sealed);
  victim_fill(fill + PAGE_BYTES, 3, 3);
  MUST(munmap(fill, BYTES) == 0 && fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  unsealable = memfd_create("unsealable", MFD_CLOEXEC | 8 /* MFD_NOEXEC_SEAL */);
  if (unsealable < 0) unsealable = memfd_create("unsealable", MFD_CLOEXEC);
  MUST(unsealable >= 0);
}

static void set_up_script(void) {
  static const char text[] = "#!/bin/sh\nexit 42\n";
  script = memfd_create("script", 0);
  MUST(script >= 0 && write(script, text, sizeof text - 1) == (ssize_t)sizeof text - 1 && ftruncate(script, BYTES) == 0);
  MUST(pwrite(script, "exit 43\n", 8, 18) == 8);
  script_read_only = again(script, O_RDONLY);
  MUST(fcntl(script_read_only, F_SETFD, 0) == 0);
  script_private = map(RW, MAP_PRIVATE, script_read_only);
  script_shared = map(PROT_READ, MAP_SHARED, script_read_only);
  victim_fill(script_private + PAGE_BYTES, 4, 4);
}

static void set_up_anonymous(void) {
  anonymous_map = map(RW, MAP_SHARED | MAP_ANONYMOUS, -1);
  char path[96];
  snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)(uintptr_t)anonymous_map, (unsigned long)(uintptr_t)anonymous_map + BYTES);
  anonymous = open(path, O_RDWR | O_CLOEXEC);
  anonymous_read_only = open(path, O_RDONLY | O_CLOEXEC);
  MUST(anonymous >= 0 && anonymous_read_only >= 0);
  anonymous_private = map(RW, MAP_PRIVATE, anonymous);
  anonymous_again = map(RW, MAP_SHARED, anonymous);
  for (uint64_t i = 0; i < 8; i++) victim_fill(anonymous_map + i * PAGE_BYTES, i, 5);
  victim_fill(anonymous_private + PAGE_BYTES, 9, 5);
  MUST(lseek(anonymous, 4097, SEEK_SET) == 4097);
}

static void expect_status(const char *what, int fd, int flags, off_t position, mode_t mode, off_t size) {
  struct stat status;
  EXPECT((fcntl(fd, F_GETFL) & ~0100000) == flags, "%s: flags are %#o, not %#o", what, fcntl(fd, F_GETFL), flags);
  EXPECT(lseek(fd, 0, SEEK_CUR) == position, "%s: the position is %ld, not %ld", what, lseek(fd, 0, SEEK_CUR), position);
  EXPECT(fstat(fd, &status) == 0 && (status.st_mode & 07777) == mode && status.st_size == size, "%s: mode %o, size %ld", what, status.st_mode, status.st_size);
}

static int run_script(int fd) {
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"script", NULL};
    syscall(SYS_execveat, fd, "", arguments, NULL, AT_EMPTY_PATH);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  set_up_plain();
  set_up_script();
  set_up_anonymous();
  int channel[2], back[2];
  MUST(pipe(channel) == 0 && pipe(back) == 0);
  struct stat unsealable_before;
  MUST(fstat(unsealable, &unsealable_before) == 0);
  int seals_before = fcntl(unsealable, F_GET_SEALS);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    // An open file description of its own, of the parent's memfd.
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getppid(), plain);
    int own = open(path, O_RDONLY | O_NONBLOCK);
    MUST(own >= 0 && lseek(own, 5 * (off_t)PAGE_BYTES, SEEK_SET) == 5 * (off_t)PAGE_BYTES);
    MUST(write(back[1], "r", 1) == 1);
    char byte;
    if (read(channel[0], &byte, 1) != 1) _exit(1);
    EXPECT((fcntl(own, F_GETFL) & ~0100000) == (O_RDONLY | O_NONBLOCK), "the child's flags are %#o", fcntl(own, F_GETFL));
    static char page[PAGE_BYTES];
    EXPECT(read(own, page, sizeof page) == (ssize_t)sizeof page && victim_check(page, 55, 6), "the child does not read what the parent wrote afterwards");
    _exit(0);
  }
  char byte;
  MUST(read(back[0], &byte, 1) == 1);
  struct statfs fs_before, fs_after;
  MUST(fstatfs(anonymous, &fs_before) == 0);
  victim_remember_mappings();
  victim_ready();
  for (uint64_t turn = 0; !victim_should_stop(); turn++) {
    victim_fill(anonymous_map + 7 * PAGE_BYTES, 7, turn);
    MUST(victim_check(anonymous_again + 7 * PAGE_BYTES, 7, turn));
    victim_sleep_millis(3);
  }
  victim_expect_same_mappings();
  expect_status("plain", plain, O_RDWR | O_APPEND, 777, 0644, BYTES);
  EXPECT(fcntl(plain, F_GETFD) == 0 && fcntl(sealed, F_GETFD) == FD_CLOEXEC, "close-on-exec changed");
  for (uint64_t i = 0; i < 8; i++) {
    EXPECT(victim_check(shared + i * PAGE_BYTES, i, 1), "shared page %lu changed", i);
    EXPECT(victim_check(private + i * PAGE_BYTES, i, i == 2 ? 2 : 1), "private page %lu changed", i);
  }
  EXPECT(fcntl(sealed, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), "the seals are %#x", fcntl(sealed, F_GET_SEALS));
  EXPECT(mmap(NULL, BYTES, RW, MAP_SHARED, sealed, 0) == MAP_FAILED && errno == EPERM, "a sealed memfd can be mapped for writing");
  char *view = mmap(NULL, BYTES, PROT_READ, MAP_PRIVATE, sealed, 0);
  EXPECT(view != MAP_FAILED && victim_check(view + PAGE_BYTES, 3, 3) && view[0] == 0, "the sealed memfd changed");
  struct stat unsealable_after;
  EXPECT(fstat(unsealable, &unsealable_after) == 0 && unsealable_after.st_mode == unsealable_before.st_mode && fcntl(unsealable, F_GET_SEALS) == seals_before, "the memfd without permission to execute has mode %o and seals %#x, had %o and %#x", unsealable_after.st_mode, fcntl(unsealable, F_GET_SEALS), unsealable_before.st_mode, seals_before);
  expect_status("script", script, O_RDWR, 18, 0777, BYTES);
  expect_status("script, read-only", script_read_only, O_RDONLY, 0, 0777, BYTES);
  EXPECT(victim_check(script_private + PAGE_BYTES, 4, 4) && memcmp(script_shared, "#!/bin/sh\nexit 42\n", 18) == 0 && script_shared[PAGE_BYTES] == 0, "the mappings of the script changed");
  EXPECT(mprotect(script_shared, PAGE_BYTES, RW) == -1, "a shared mapping of a read-only descriptor can be made writable");
  EXPECT(run_script(script_read_only) == 42, "the script cannot be executed");
  expect_status("anonymous", anonymous, O_RDWR, 4097, 0777, BYTES);
  expect_status("anonymous, read-only", anonymous_read_only, O_RDONLY, 0, 0777, BYTES);
  EXPECT(fstatfs(anonymous, &fs_after) == 0 && fs_after.f_type == fs_before.f_type, "the file system is %#lx and was %#lx", fs_after.f_type, fs_before.f_type);
  for (uint64_t i = 0; i < 7; i++) {
    EXPECT(victim_check(anonymous_map + i * PAGE_BYTES, i, 5), "page %lu of the anonymous memory changed", i);
    EXPECT(victim_check(anonymous_private + i * PAGE_BYTES, i == 1 ? 9 : i, 5), "private page %lu of the anonymous memory changed", i);
  }
  static char page[PAGE_BYTES];
  EXPECT(pread(anonymous_read_only, page, sizeof page, 3 * (off_t)PAGE_BYTES) == (ssize_t)sizeof page && victim_check(page, 3, 5), "the descriptor does not show the anonymous memory");
  victim_fill(shared + 5 * PAGE_BYTES, 55, 6);
  MUST(write(channel[1], "g", 1) == 1);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  victim_end();
}
