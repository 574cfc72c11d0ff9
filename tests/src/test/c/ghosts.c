// Files, directories and nodes without a name: contents, holes, owner, mode, times, several names, names with odd bytes, the old name
// taken by another file, O_TMPFILE, a removed current directory, a file in a removed directory.
#include "victim.h"

#include <dirent.h>
#include <sys/sysmacros.h>

static const char ODD[] = "odd \n \"\\ \xff\xfe\x80 \xc3\xa9 (deleted)";

static void expect_link(const char *what, int fd, const char *path) {
  char entry[64], link[4200], wanted[4200];
  snprintf(entry, sizeof entry, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(entry, link, sizeof link - 1);
  if (length < 0) length = 0;
  link[length] = 0;
  snprintf(wanted, sizeof wanted, "%s (deleted)", path);
  EXPECT(strcmp(link, wanted) == 0, "%s is called %s, not %s", what, link, wanted);
}

static int make(const char *path, mode_t mode) {
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL, mode);
  if (fd < 0) victim_die(path);
  return fd;
}

static void put(int fd, const char *text, off_t at) {
  MUST(pwrite(fd, text, strlen(text), at) == (ssize_t)strlen(text));
}

static void expect_text(const char *what, int fd, const char *text, off_t at) {
  char got[64] = "";
  EXPECT(pread(fd, got, strlen(text), at) == (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0, "%s holds '%s' at %ld", what, got, at);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  struct stat info;
  char *plain_path = victim_path("plain"), *taken_path = victim_path("taken"), *a_path = victim_path("name a"), *b_path = victim_path("name b");
  // Owner, mode, times, position.
  int plain = make(plain_path, 0600);
  put(plain, "first", 0);
  MUST(ftruncate(plain, 3) == 0 && ftruncate(plain, 70000) == 0);
  put(plain, "last", 66000);
  MUST(fchown(plain, 1234, 4321) == 0 && fchmod(plain, 06751) == 0 && lseek(plain, 777, SEEK_SET) == 777);
  struct timespec times[2] = {{1111111111, 123456789}, {1222222222, 987654321}};
  MUST(futimens(plain, times) == 0 && unlink(plain_path) == 0);
  char entry[64];
  snprintf(entry, sizeof entry, "/proc/self/fd/%d", plain);
  int plain_append = open(entry, O_WRONLY | O_APPEND | O_CLOEXEC);
  MUST(plain_append >= 0);
  char *nofollow_path = victim_path("not followed");
  MUST(open(nofollow_path, O_CREAT | O_EXCL | O_RDWR, 0600) >= 0);
  int nofollow = open(nofollow_path, O_RDWR | O_NOFOLLOW), nofollow_read = open(nofollow_path, O_RDONLY | O_NOFOLLOW);
  MUST(nofollow >= 0 && nofollow_read >= 0 && write(nofollow, "own", 3) == 3 && unlink(nofollow_path) == 0);
  int nofollow_flags = fcntl(nofollow, F_GETFL), nofollow_read_flags = fcntl(nofollow_read, F_GETFL);
  // The name belongs to another file by now.
  int taken = make(taken_path, 0644);
  put(taken, "the old one", 0);
  MUST(unlink(taken_path) == 0);
  int successor = make(taken_path, 0644);
  put(successor, "the new one", 0);
  // Two names, opened by both, both gone.
  int a = make(a_path, 0640);
  put(a, "two names", 0);
  MUST(link(a_path, b_path) == 0);
  int b = open(b_path, O_RDONLY);
  MUST(b >= 0 && unlink(a_path) == 0 && unlink(b_path) == 0);
  // Never had a name; may get one.
  int nameless = open(victim_path(""), O_TMPFILE | O_RDWR, 0604);
  MUST(nameless >= 0);
  put(nameless, "nameless", 4096);
  int nameless_flags = fcntl(nameless, F_GETFL);
  // Holes: at the start, at the end, in between; more than 2 GiB.
  int holes = make(victim_path("holes"), 0600);
  for (int i = 1; i < 60; i += 2) put(holes, "data", i * 4096L);
  MUST(ftruncate(holes, 64 * 4096) == 0 && unlink(victim_path("holes")) == 0);
  int large = make(victim_path("large"), 0600);
  put(large, "far", 5L << 30);
  MUST(ftruncate(large, (6L << 30) + 5) == 0 && unlink(victim_path("large")) == 0);
  // With option "limit": hundreds of holes, and more data than --ghost-limit takes if nothing is said.
  bool limit = argc > 2 && strcmp(argv[2], "limit") == 0;
  int many_holes = make(victim_path("many holes"), 0600);
  for (int i = 0; i < (limit ? 512 : 0); i++) put(many_holes, "part", i * 8192L + 4096);
  MUST(unlink(victim_path("many holes")) == 0);
  // Odd bytes, with a name and without.
  char *odd_path = victim_path(ODD), *odd_gone_path = malloc(strlen(odd_path) + 2);
  sprintf(odd_gone_path, "%s2", odd_path);
  int odd = make(odd_path, 0600), odd_gone = make(odd_gone_path, 0600);
  put(odd, "odd", 0);
  put(odd_gone, "gone", 0);
  MUST(unlink(odd_gone_path) == 0);
  // Directories: the current one, one that is open, a file in one.
  char *removed_path = victim_path("removed"), *inner_path = victim_path("removed/inner"), *in_removed_path = victim_path("removed/inner/file"), *cwd_path = victim_path("cwd");
  MUST(mkdir(removed_path, 0751) == 0 && mkdir(inner_path, 0700) == 0 && mkdir(cwd_path, 0711) == 0);
  int removed = open(removed_path, O_RDONLY | O_DIRECTORY), in_removed = make(in_removed_path, 0600), inner = open(inner_path, O_PATH | O_DIRECTORY);
  put(in_removed, "deep", 0);
  MUST(removed >= 0 && inner >= 0 && fchown(removed, 5, 6) == 0 && unlink(in_removed_path) == 0 && rmdir(inner_path) == 0 && rmdir(removed_path) == 0);
  // A device node of its own, unlinked, and one with a name.
  char *node_path = victim_path("null node"), *zero_path = victim_path("zero node");
  MUST(mknod(node_path, S_IFCHR | 0620, makedev(1, 3)) == 0 && mknod(zero_path, S_IFCHR | 0600, makedev(1, 5)) == 0);
  int node = open(node_path, O_RDWR), zero = open(zero_path, O_RDONLY);
  MUST(node >= 0 && zero >= 0 && fchmod(node, 0620) == 0 && unlink(node_path) == 0);
  MUST(chdir(cwd_path) == 0 && rmdir(cwd_path) == 0);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  EXPECT(fstat(plain, &info) == 0 && info.st_nlink == 0 && info.st_size == 70000 && info.st_uid == 1234 && info.st_gid == 4321 && (info.st_mode & 07777) == 06751, "the unlinked file has %lu names, %ld bytes, owner %u:%u, mode %o", info.st_nlink, info.st_size, info.st_uid, info.st_gid, info.st_mode);
  EXPECT(info.st_mtim.tv_sec == 1222222222 && info.st_mtim.tv_nsec == 987654321 && info.st_atim.tv_sec == 1111111111, "the unlinked file was changed at %ld.%09ld, read at %ld", info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_atim.tv_sec);
  EXPECT(lseek(plain, 0, SEEK_CUR) == 777 && lseek(plain_append, 0, SEEK_CUR) == 0, "the unlinked file is at %ld", lseek(plain, 0, SEEK_CUR));
  expect_text("the unlinked file", plain, "fir", 0);
  expect_text("the unlinked file", plain, "last", 66000);
  expect_link("the unlinked file", plain, plain_path);
  EXPECT(write(plain_append, "appended", 8) == 8, "cannot append: %s", strerror(errno));
  expect_text("the unlinked file", plain, "appended", 70000);
  EXPECT(fcntl(nofollow, F_GETFL) == nofollow_flags && fcntl(nofollow_read, F_GETFL) == nofollow_read_flags, "O_NOFOLLOW: flags %#x and %#x, not %#x and %#x", fcntl(nofollow, F_GETFL), fcntl(nofollow_read, F_GETFL), nofollow_flags, nofollow_read_flags);
  expect_text("O_NOFOLLOW", nofollow_read, "own", 0);
  expect_link("O_NOFOLLOW", nofollow_read, nofollow_path);
  expect_text("the file whose name is taken", taken, "the old one", 0);
  expect_text("the new file of the same name", successor, "the new one", 0);
  EXPECT(fstat(taken, &info) == 0 && info.st_nlink == 0, "the file whose name is taken has %lu names", info.st_nlink);
  struct stat other;
  EXPECT(stat(taken_path, &info) == 0 && fstat(successor, &other) == 0 && info.st_ino == other.st_ino, "the new file lost its name");
  expect_text("the file with two names", b, "two names", 0);
  EXPECT(fstat(a, &info) == 0 && fstat(b, &other) == 0 && info.st_ino == other.st_ino && info.st_nlink == 0, "the file with two names became two files");
  put(a, "TWO", 0);
  expect_text("the file with two names", b, "TWO names", 0);
  expect_link("the first name", a, a_path);
  expect_link("the second name", b, b_path);
  EXPECT(fcntl(nameless, F_GETFL) == nameless_flags && (nameless_flags & O_TMPFILE) == O_TMPFILE, "O_TMPFILE has flags %#x, not %#x", fcntl(nameless, F_GETFL), nameless_flags);
  EXPECT(fstat(nameless, &info) == 0 && info.st_nlink == 0 && (info.st_mode & 07777) == 0604, "O_TMPFILE has mode %o", info.st_mode);
  expect_text("O_TMPFILE", nameless, "nameless", 4096);
  snprintf(entry, sizeof entry, "/proc/self/fd/%d", nameless);
  char *named_path = victim_path("named at last");
  EXPECT(linkat(AT_FDCWD, entry, AT_FDCWD, named_path, AT_SYMLINK_FOLLOW) == 0 && access(named_path, F_OK) == 0, "O_TMPFILE cannot be given a name: %s", strerror(errno));
  EXPECT(fstat(holes, &info) == 0 && info.st_size == 64 * 4096, "the file with holes has %ld bytes", info.st_size);
  for (long at = 0, i = 1; i < 60; i += 2) {
    long data = lseek(holes, at, SEEK_DATA), hole = lseek(holes, data, SEEK_HOLE);
    EXPECT(data == i * 4096 && hole == data + 4096, "after %ld comes data at %ld up to %ld", at, data, hole);
    expect_text("the file with holes", holes, "data", i * 4096);
    at = hole;
  }
  EXPECT(lseek(holes, 60 * 4096, SEEK_DATA) == -1 && errno == ENXIO, "the hole at the end is filled");
  EXPECT(fstat(large, &info) == 0 && info.st_size == (6L << 30) + 5 && info.st_blocks < 64 && lseek(large, 0, SEEK_DATA) == 5L << 30, "the large file has %ld bytes in %ld blocks", info.st_size, info.st_blocks);
  expect_text("the large file", large, "far", 5L << 30);
  for (long at = 0, i = 0; i < (limit ? 512 : 0); i++) {
    long data = lseek(many_holes, at, SEEK_DATA), hole = lseek(many_holes, data, SEEK_HOLE);
    EXPECT(data == i * 8192 + 4096 && (hole == data + 4096 || i == 511), "of many holes, after %ld comes data at %ld up to %ld", at, data, hole);
    expect_text("the file with many holes", many_holes, "part", data);
    at = hole;
  }
  expect_text("the odd name", odd, "odd", 0);
  expect_text("the odd name that is gone", odd_gone, "gone", 0);
  expect_link("the odd name that is gone", odd_gone, odd_gone_path);
  EXPECT(stat(odd_path, &info) == 0 && fstat(odd, &other) == 0 && info.st_ino == other.st_ino, "the odd name leads elsewhere");
  EXPECT(fstat(removed, &info) == 0 && info.st_nlink == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 07777) == 0751 && info.st_uid == 5 && info.st_gid == 6, "the removed directory has %lu links, mode %o", info.st_nlink, info.st_mode);
  EXPECT(openat(removed, "x", O_CREAT | O_RDWR, 0600) == -1 && errno == ENOENT, "the removed directory takes files");
  expect_link("the removed directory", removed, removed_path);
  expect_link("the directory in the removed one", inner, inner_path);
  EXPECT(fstatat(inner, "..", &info, 0) == 0 && fstat(removed, &other) == 0 && info.st_ino == other.st_ino, "the removed directories are not in each other any more");
  expect_text("the file in the removed directory", in_removed, "deep", 0);
  expect_link("the file in the removed directory", in_removed, in_removed_path);
  EXPECT(fstat(node, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3) && info.st_nlink == 0 && (info.st_mode & 0777) == 0620 && write(node, "x", 1) == 1, "the unlinked node is something else");
  expect_link("the unlinked node", node, node_path);
  char byte = 1;
  EXPECT(read(zero, &byte, 1) == 1 && byte == 0, "the node with a name is something else");
  char *now = getcwd(NULL, 0);
  EXPECT(now == NULL && errno == ENOENT && stat(".", &info) == 0 && info.st_nlink == 0 && (info.st_mode & 0777) == 0711, "the current directory is %s", now);
  EXPECT(access(removed_path, F_OK) != 0 && access(cwd_path, F_OK) != 0 && access(plain_path, F_OK) != 0, "a name is back");
  DIR *directory = opendir(victim_path(""));
  for (struct dirent *e; (e = readdir(directory)) != NULL;) EXPECT(strncmp(e->d_name, ".pagelift", 9) != 0, "%s was left behind", e->d_name);
  victim_end();
}
