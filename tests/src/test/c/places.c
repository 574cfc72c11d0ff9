// Links, O_PATH descriptors and the root directory: symbolic links opened themselves, also an unlinked one, sockets and FIFOs by path;
// with option "chroot" the process has another root, with files open inside and outside of it; with option "linkremap" files that lost
// the name under which they were opened, but have another one.
#include "victim.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

static void expect_link(const char *what, int fd, const char *wanted) {
  char target[256];
  ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
  target[length < 0 ? 0 : length] = 0;
  EXPECT(strcmp(target, wanted) == 0, "%s leads to '%s', not to '%s'", what, target, wanted);
}

static void expect_same(const char *what, int fd, int other) {
  struct stat a, b;
  EXPECT(fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev, "%s is another file: %s", what, strerror(errno));
}

static void links(void) {
  char *link_path = victim_path("link"), *gone_path = victim_path("link gone"), *file_path = victim_path("file"), *socket_path = victim_path("socket"), *fifo_path = victim_path("fifo");
  MUST(symlink("to nowhere", link_path) == 0 && symlink("odd \xff target", gone_path) == 0 && mkfifo(fifo_path, 0600) == 0);
  int link = open(link_path, O_PATH | O_NOFOLLOW), gone = open(gone_path, O_PATH | O_NOFOLLOW | O_CLOEXEC), fifo = open(fifo_path, O_PATH), file = open(file_path, O_CREAT | O_RDWR, 0600), file_only = open(file_path, O_PATH), directory_only = open("/", O_PATH | O_DIRECTORY), tty = open("/dev/ptmx", O_PATH);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%.100s", socket_path);
  int bound = strlen(socket_path) < 100 ? bind(listener, (void *)&address, sizeof address) : -1;
  int socket_only = bound == 0 ? open(socket_path, O_PATH) : -1;
  close(listener);
  MUST(link >= 0 && gone >= 0 && fifo >= 0 && file >= 0 && file_only >= 0 && directory_only >= 0 && write(file, "text", 4) == 4 && unlink(gone_path) == 0);
  int gone_flags = fcntl(gone, F_GETFL);
  int file_only_flags = fcntl(file_only, F_GETFL), link_flags = fcntl(link, F_GETFL);
  struct stat info;
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  expect_link("the link", link, "to nowhere");
  EXPECT(fcntl(gone, F_GETFL) == gone_flags, "the unlinked link has flags %#x, not %#x", fcntl(gone, F_GETFL), gone_flags);
  expect_link("the unlinked link", gone, "odd \xff target");
  EXPECT(fstat(gone, &info) == 0 && S_ISLNK(info.st_mode) && info.st_nlink == 0 && (fcntl(gone, F_GETFD) & FD_CLOEXEC) != 0, "the unlinked link has %lu names", info.st_nlink);
  EXPECT(fcntl(link, F_GETFL) == link_flags && fcntl(file_only, F_GETFL) == file_only_flags, "flags are %#x and %#x", fcntl(link, F_GETFL), fcntl(file_only, F_GETFL));
  EXPECT(fstat(fifo, &info) == 0 && S_ISFIFO(info.st_mode) && read(fifo, &info, 1) == -1 && errno == EBADF, "the FIFO can be read");
  if (socket_only >= 0) EXPECT(fstat(socket_only, &info) == 0 && S_ISSOCK(info.st_mode), "the socket is none");
  if (tty >= 0) EXPECT(fstat(tty, &info) == 0 && S_ISCHR(info.st_mode), "the device is none");
  expect_same("the file by path", file_only, file);
  EXPECT(read(file_only, &info, 1) == -1 && errno == EBADF && faccessat(directory_only, "proc", F_OK, 0) == 0, "O_PATH can be read");
}

static void new_root(void) {
  char *root_path = victim_path("root"), *inside_path = victim_path("root/inside"), *outside_path = victim_path("outside"), *deep_path = victim_path("root/deep");
  MUST(mkdir(root_path, 0755) == 0 && mkdir(deep_path, 0755) == 0);
  int outside = open(outside_path, O_CREAT | O_RDWR, 0600), work = open(victim_path(""), O_RDONLY | O_DIRECTORY);
  MUST(outside >= 0 && work >= 0 && write(outside, "outside", 7) == 7);
  char stop[2300];
  MUST(open(inside_path, O_CREAT | O_RDWR, 0600) >= 0);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    MUST(chroot(root_path) == 0 && chdir("/deep") == 0);
    int inside = open("/inside", O_RDWR);
    MUST(inside >= 0);
    snprintf(stop, sizeof stop, "stop");
    MUST(openat(work, "child ready", O_CREAT | O_RDWR, 0600) >= 0);
    while (faccessat(work, stop, F_OK, 0) != 0) victim_sleep_millis(3);
    struct stat a, b;
    char text[64];
    // Its failures go through its exit status: the way to the report is outside of its root.
    if (getcwd(text, sizeof text) == NULL || strcmp(text, "/deep") != 0) _exit(1);
    if (stat("/inside", &a) != 0 || fstat(inside, &b) != 0 || a.st_ino != b.st_ino) _exit(2);
    if (stat("..", &a) != 0 || stat("/", &b) != 0 || a.st_ino != b.st_ino || access("/proc", F_OK) == 0) _exit(3);
    if (pread(outside, text, 7, 0) != 7 || memcmp(text, "outside", 7) != 0) _exit(4);
    if (write(inside, "written", 7) != 7) _exit(5);
    _exit(77);
  }
  while (faccessat(work, "child ready", F_OK, 0) != 0) victim_sleep_millis(3);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 77, "the process with another root ended with %#x", status);
}

static void remapped(void) {
  char *first_path = victim_path("first"), *second_path = victim_path("second"), *taken_path = victim_path("taken");
  int first = open(first_path, O_CREAT | O_RDWR, 0600);
  MUST(first >= 0 && write(first, "linked", 6) == 6 && link(first_path, second_path) == 0 && unlink(first_path) == 0);
  char entry[64], text[512] = "";
  snprintf(entry, sizeof entry, "/proc/self/fd/%d", first);
  int reader = open(entry, O_RDONLY);
  int taken = open(taken_path, O_CREAT | O_RDWR, 0600);
  MUST(reader >= 0 && taken >= 0 && link(taken_path, victim_path("taken second")) == 0 && unlink(taken_path) == 0 && open(taken_path, O_CREAT | O_RDWR, 0600) >= 0);
  int nameless = open(victim_path(""), O_TMPFILE | O_RDWR, 0600);
  snprintf(text, sizeof text, "/proc/self/fd/%d", nameless);
  MUST(nameless >= 0 && linkat(AT_FDCWD, text, AT_FDCWD, victim_path("named"), AT_SYMLINK_FOLLOW) == 0);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  int second = open(second_path, O_RDONLY), taken_second = open(victim_path("taken second"), O_RDONLY), named = open(victim_path("named"), O_RDONLY);
  expect_same("the linked file", first, second);
  expect_same("the linked file, opened again", reader, second);
  expect_same("the linked file whose name is taken", taken, taken_second);
  expect_same("the file that got its name late", nameless, named);
  struct stat info;
  EXPECT(write(first, " and written", 12) == 12 && pread(second, text, 18, 0) == 18 && memcmp(text, "linked and written", 18) == 0, "the other name shows %.18s", text);
  EXPECT(fstat(first, &info) == 0 && info.st_nlink == 1 && fstat(taken, &info) == 0 && info.st_nlink == 1 && access(first_path, F_OK) != 0, "the linked file has %lu names", info.st_nlink);
  DIR *directory = opendir(victim_path(""));
  for (struct dirent *e; (e = readdir(directory)) != NULL;) EXPECT(strncmp(e->d_name, ".pagelift", 9) != 0, "%s was left behind", e->d_name);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  if (argc > 2 && strcmp(argv[2], "chroot") == 0) new_root();
  else if (argc > 2 && strcmp(argv[2], "linkremap") == 0) remapped();
  else links();
  victim_end();
}
