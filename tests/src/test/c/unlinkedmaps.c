// Runs from a program that was removed, and maps files that have no name any more: through two hard links, shared and private, with an
// open descriptor, replaced by another file of the same name.
#include "victim.h"

#define RW (PROT_READ | PROT_WRITE)
#define BYTES (6 * PAGE_BYTES)

static char *map(int protection, int flags, const char *name, int mode, int *fd) {
  int opened = open(victim_path(name), mode | O_CLOEXEC);
  MUST(opened >= 0);
  char *at = mmap(NULL, BYTES, protection, flags, opened, 0);
  MUST(at != MAP_FAILED);
  if (fd != NULL) *fd = opened;
  else close(opened);
  return at;
}

static void make(const char *name, uint64_t seed) {
  int fd = open(victim_path(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  MUST(fd >= 0);
  static char page[PAGE_BYTES];
  for (uint64_t i = 0; i < BYTES / PAGE_BYTES; i++) {
    victim_fill(page, i, seed);
    MUST(write(fd, page, sizeof page) == (ssize_t)sizeof page);
  }
  close(fd);
}

static void copy_program(const char *to) {
  int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  MUST(in >= 0 && out >= 0);
  static char bytes[65536];
  for (ssize_t got; (got = read(in, bytes, sizeof bytes)) > 0;) MUST(write(out, bytes, (size_t)got) == got);
  close(in);
  close(out);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  if (argc < 3) {
    char *program = victim_path("removed-program");
    copy_program(program);
    execl(program, argv[0], argv[1], "again", NULL);
    victim_die("exec");
  }
  MUST(unlink(victim_path("removed-program")) == 0);
  make("one", 1);
  MUST(link(victim_path("one"), victim_path("two")) == 0);
  int descriptor;
  char *shared = map(RW, MAP_SHARED, "one", O_RDWR, NULL);
  char *other_link = map(PROT_READ, MAP_SHARED, "two", O_RDONLY, NULL);
  char *private = map(RW, MAP_PRIVATE, "two", O_RDONLY, NULL);
  make("open", 2);
  char *with_descriptor = map(RW, MAP_SHARED, "open", O_RDWR, &descriptor);
  make("replaced", 3);
  char *replaced = map(PROT_READ, MAP_PRIVATE, "replaced", O_RDONLY, NULL);
  MUST(unlink(victim_path("one")) == 0 && unlink(victim_path("two")) == 0 && unlink(victim_path("open")) == 0 && unlink(victim_path("replaced")) == 0);
  make("replaced", 4);
  victim_fill(private + PAGE_BYTES, 50, 1);
  char exe_before[4096] = "", exe_after[4096] = "";
  MUST(readlink("/proc/self/exe", exe_before, sizeof exe_before - 1) > 0);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    while (!victim_should_stop()) victim_sleep_millis(5);
    EXPECT(victim_check(private + PAGE_BYTES, 50, 1) && victim_check(other_link + 2 * PAGE_BYTES, 2, 1), "the child's mappings changed");
    // The parent has written this before it saw the stop, or will.
    for (int i = 0; i < 6000 && shared[5 * PAGE_BYTES] != 'x'; i++) victim_sleep_millis(10);
    EXPECT(shared[5 * PAGE_BYTES] == 'x', "parent and child do not map the same file");
    _exit(0);
  }
  victim_ready();
  uint64_t turn = 0;
  while (!victim_should_stop()) {
    turn++;
    victim_fill(shared, 0, turn + 10);
    victim_fill(with_descriptor, 0, turn + 10);
    victim_sleep_millis(3);
  }
  EXPECT(victim_check(shared, 0, turn + 10) && memcmp(shared, other_link, PAGE_BYTES) == 0, "the two links do not show one file");
  for (uint64_t i = 1; i < 5; i++) {
    EXPECT(victim_check(shared + i * PAGE_BYTES, i, 1) && victim_check(other_link + i * PAGE_BYTES, i, 1), "page %lu of the shared mapping changed", i);
    EXPECT(victim_check(private + i * PAGE_BYTES, i == 1 ? 50 : i, 1), "page %lu of the private mapping changed", i);
    EXPECT(victim_check(replaced + i * PAGE_BYTES, i, 3), "page %lu of the replaced file changed", i);
  }
  shared[5 * PAGE_BYTES] = 'x';
  EXPECT(other_link[5 * PAGE_BYTES] == 'x' && private[5 * PAGE_BYTES] == 'x', "a write through one link is not seen through the other");
  static char page[PAGE_BYTES];
  EXPECT(pread(descriptor, page, sizeof page, 0) == (ssize_t)sizeof page && victim_check(page, 0, turn + 10), "the descriptor and the mapping differ");
  struct stat status;
  EXPECT(fstat(descriptor, &status) == 0 && status.st_nlink == 0 && (status.st_mode & 07777) == 0640 && status.st_size == BYTES, "the unlinked file has %lu names, mode %o, %ld bytes", status.st_nlink, status.st_mode, status.st_size);
  EXPECT(readlink("/proc/self/exe", exe_after, sizeof exe_after - 1) > 0 && strcmp(exe_before, exe_after) == 0, "the program is %s and was %s", exe_after, exe_before);
  int again = open(victim_path("replaced"), O_RDONLY | O_CLOEXEC);
  EXPECT(read(again, page, sizeof page) == (ssize_t)sizeof page && victim_check(page, 0, 4), "the file that has the old name now was changed");
  int child_status = 0;
  EXPECT(waitpid(child, &child_status, 0) == child && child_status == 0, "the child ended with status %#x", child_status);
  victim_end();
}
