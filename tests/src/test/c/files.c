// Open files: offsets shared by dup and by fork, append, unlinked, flags, close-on-exec, devices, directories, odd numbers.
#include "victim.h"

#include <sys/sysmacros.h>

static void expect_flags(const char *what, int fd, int flags, int descriptor_flags) {
  int now = fcntl(fd, F_GETFL);
  EXPECT(now == flags, "%s has flags %#x, not %#x", what, now, flags);
  EXPECT(fcntl(fd, F_GETFD) == descriptor_flags, "%s has other descriptor flags", what);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  char *base_path = victim_path("data file");
  int base = open(base_path, O_RDWR | O_CREAT | O_TRUNC, 0640);
  MUST(base >= 0);
  char text[8192];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('a' + i % 26);
  MUST(write(base, text, sizeof text) == sizeof text && lseek(base, 1234, SEEK_SET) == 1234);
  int twin = dup(base);
  int high = dup2(base, 777);
  int other = open(base_path, O_RDONLY | O_CLOEXEC);
  MUST(twin >= 0 && high == 777 && other >= 0 && lseek(other, 26, SEEK_SET) == 26);
  char *append_path = victim_path("appended");
  int append = open(append_path, O_WRONLY | O_CREAT | O_APPEND | O_DSYNC, 0600);
  char *gone_path = victim_path("unlinked");
  int gone = open(gone_path, O_RDWR | O_CREAT, 0600);
  MUST(append >= 0 && gone >= 0 && ftruncate(gone, 100 * (off_t)PAGE_BYTES) == 0);
  char page[PAGE_BYTES];
  for (uint64_t i = 1; i < 100; i += 9) {
    victim_fill(page, i, 3);
    MUST(pwrite(gone, page, sizeof page, (off_t)(i * PAGE_BYTES)) == sizeof page);
  }
  MUST(lseek(gone, 5000, SEEK_SET) == 5000 && unlink(gone_path) == 0);
  int directory = open(victim_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY), path_only = open("/", O_PATH);
  MUST(directory >= 0 && null >= 0 && zero >= 0);
  if (argc < 3 || strcmp(argv[2], "path") != 0) {
    close(path_only);
    path_only = -1;
  }
  int base_flags = fcntl(base, F_GETFL), append_flags = fcntl(append, F_GETFL), other_flags = fcntl(other, F_GETFL);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    while (!victim_should_stop()) victim_sleep_millis(3);
    // The offset is one for parent and child, at the destination too.
    _exit(read(base, text, 1) == 1 ? text[0] : 0);
  }
  uint64_t lines = 0;
  victim_ready();
  while (!victim_should_stop()) {
    EXPECT(write(append, "line\n", 5) == 5, "cannot append: %s", strerror(errno));
    lines++;
    victim_sleep_millis(2);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 'a' + 1234 % 26, "the child read %c", WEXITSTATUS(status));
  EXPECT(lseek(base, 0, SEEK_CUR) == 1235 && lseek(twin, 0, SEEK_CUR) == 1235 && lseek(high, 0, SEEK_CUR) == 1235, "the shared offset is %ld, %ld, %ld", lseek(base, 0, SEEK_CUR), lseek(twin, 0, SEEK_CUR), lseek(high, 0, SEEK_CUR));
  EXPECT(lseek(other, 0, SEEK_CUR) == 26, "the separate offset is %ld", lseek(other, 0, SEEK_CUR));
  EXPECT(lseek(twin, 100, SEEK_SET) == 100 && lseek(high, 0, SEEK_CUR) == 100 && lseek(other, 0, SEEK_CUR) == 26, "dup is not shared any more or open is");
  expect_flags("the data file", base, base_flags, 0);
  expect_flags("the second description", other, other_flags, FD_CLOEXEC);
  expect_flags("the appended file", append, append_flags, 0);
  struct stat info;
  EXPECT(stat(append_path, &info) == 0 && info.st_size == (off_t)(5 * lines), "%ld bytes appended, not %lu", info.st_size, 5 * lines);
  EXPECT(fstat(gone, &info) == 0 && info.st_nlink == 0 && info.st_size == 100 * (off_t)PAGE_BYTES && (info.st_mode & 07777) == 0600, "the unlinked file has %lu links, %ld bytes, mode %o", info.st_nlink, info.st_size, info.st_mode);
  EXPECT(lseek(gone, 0, SEEK_CUR) == 5000, "the unlinked file is at %ld", lseek(gone, 0, SEEK_CUR));
  EXPECT(access(gone_path, F_OK) != 0, "the unlinked file has a name again");
  for (uint64_t i = 0; i < 100; i++) {
    EXPECT(pread(gone, page, sizeof page, (off_t)(i * PAGE_BYTES)) == sizeof page, "the unlinked file is too short");
    if (i % 9 == 1) EXPECT(victim_check(page, i, 3), "page %lu of the unlinked file is wrong", i);
    else EXPECT(page[0] == 0 && page[4095] == 0, "hole %lu of the unlinked file is not zero", i);
  }
  EXPECT(fstat(directory, &info) == 0 && S_ISDIR(info.st_mode) && openat(directory, "appended", O_RDONLY) >= 0, "the directory is gone");
  EXPECT(fstat(null, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3) && write(null, "x", 1) == 1, "/dev/null is something else");
  EXPECT(read(zero, text, 4) == 4 && memcmp(text, "\0\0\0\0", 4) == 0, "/dev/zero is something else");
  if (path_only >= 0) EXPECT((fcntl(path_only, F_GETFL) & O_PATH) != 0, "the O_PATH descriptor is gone");
  victim_end();
}
