// inotify and fanotify: watches keep their numbers, on a directory, a file, a link, an unlinked file that is open, a file that lost its
// name but has another one, thousands of files; afterwards the right events come and no others. With option "pending" an event waits, with "busy" one comes
// and is read every millisecond.
#include "victim.h"

#include <poll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>

enum { MANY = 2000 };

static void expect_quiet(const char *what, int queue) {
  struct pollfd poll_fd = {queue, POLLIN, 0};
  struct inotify_event event[8];
  if (poll(&poll_fd, 1, 0) != 0) {
    ssize_t length = read(queue, event, sizeof event);
    victim_fail("%s has a stray event: %zd bytes, watch %d, mask %#x", what, length, event->wd, event->mask);
  }
}

// The next event must be this one; the name counts when it is given.
static void expect_event(const char *what, int queue, int wd, uint32_t mask, const char *name) {
  static char buffer[65536] __attribute__((aligned(8)));
  static int filled, at, of = -1;
  if (of != queue || at >= filled) {
    struct pollfd poll_fd = {queue, POLLIN, 0};
    EXPECT(poll(&poll_fd, 1, 20000) == 1, "%s: no event", what);
    filled = (int)read(queue, buffer, sizeof buffer);
    at = 0;
    of = queue;
  }
  struct inotify_event *event = (struct inotify_event *)(buffer + at);
  if (filled < (int)sizeof *event) {
    victim_fail("%s: no event", what);
    return;
  }
  at += (int)sizeof *event + (int)event->len;
  EXPECT(event->wd == wd && event->mask == mask && (name == NULL || (event->len > 0 && strcmp(event->name, name) == 0)), "%s: watch %d, mask %#x, name %s instead of watch %d, mask %#x, name %s", what, event->wd, event->mask, event->len > 0 ? event->name : "none", wd, mask, name == NULL ? "none" : name);
}

static void touch(const char *path) {
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  MUST(fd >= 0);
  close(fd);
}

static _Atomic uint64_t events;
static int busy_queue;

static void *write_busily(void *path) {
  for (;;) {
    int fd = open(path, O_WRONLY);
    MUST(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
    victim_sleep_millis(1);
  }
  return NULL;
}

static void *read_busily(void *nothing) {
  (void)nothing;
  char buffer[4096];
  for (;;) {
    if (read(busy_queue, buffer, sizeof buffer) <= 0) victim_fail("the busy queue: %s", strerror(errno));
    atomic_fetch_add(&events, 1);
  }
  return NULL;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  char *watched_path = victim_path("watched"), *file_path = victim_path("watched/file"), *link_path = victim_path("link"), *gone_path = victim_path("gone"), *lost_path = victim_path("watched/lost"), *other_path = victim_path("other"), *many_path = victim_path("many"), *moved_path = victim_path("moved"), *moved_away_path = victim_path("moved away");
  MUST(mkdir(watched_path, 0700) == 0 && mkdir(many_path, 0700) == 0);
  touch(file_path);
  touch(moved_path);
  MUST(symlink("watched", link_path) == 0);
  int gone = open(gone_path, O_CREAT | O_RDWR, 0600), lost = -1;
  MUST(gone >= 0 && unlink(gone_path) == 0);
  char magic[64];
  int queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), blocking = inotify_init1(0), empty = inotify_init1(IN_NONBLOCK);
  MUST(queue >= 0 && blocking >= 0 && empty >= 0);
  // Numbers with gaps.
  int first = inotify_add_watch(queue, "/", IN_DELETE_SELF), second = inotify_add_watch(queue, many_path, IN_DELETE_SELF);
  int directory = inotify_add_watch(queue, watched_path, IN_CREATE | IN_DELETE | IN_MOVE | IN_EXCL_UNLINK), file = inotify_add_watch(queue, file_path, IN_MODIFY | IN_CLOSE_WRITE);
  int link_itself = inotify_add_watch(queue, link_path, IN_DELETE_SELF | IN_ATTRIB | IN_DONT_FOLLOW);
  MUST(first == 1 && second == 2 && directory == 3 && file == 4 && link_itself == 5);
  snprintf(magic, sizeof magic, "/proc/self/fd/%d", gone);
  int of_gone = inotify_add_watch(queue, magic, IN_MODIFY | IN_ONESHOT);
  int of_lost = -1;
  if (argc > 2 && strcmp(argv[2], "linkremap") == 0) {
    lost = open(lost_path, O_CREAT | O_RDWR, 0600);
    of_lost = inotify_add_watch(queue, lost_path, IN_ALL_EVENTS);
    MUST(lost >= 0 && of_lost > 0 && link(lost_path, other_path) == 0 && unlink(lost_path) == 0);
  }
  int of_moved = inotify_add_watch(queue, moved_path, IN_MODIFY);
  MUST(of_gone == 6 && of_moved > 6 && rename(moved_path, moved_away_path) == 0);
  MUST(inotify_rm_watch(queue, first) == 0 && inotify_rm_watch(queue, second) == 0);
  int many[MANY];
  for (int i = 0; i < MANY; i++) {
    char path[2300];
    snprintf(path, sizeof path, "%s/%d", many_path, i);
    touch(path);
    many[i] = inotify_add_watch(blocking, path, IN_MODIFY);
    MUST(many[i] > 0);
  }
  char *faked_path = victim_path("fan"), *ignored_path = victim_path("fan/ignored");
  MUST(mkdir(faked_path, 0700) == 0);
  touch(ignored_path);
  int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE);
  if (fan >= 0) {
    MUST(fanotify_mark(fan, FAN_MARK_ADD, FAN_MODIFY | FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD, faked_path) == 0);
    MUST(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_MODIFY, AT_FDCWD, ignored_path) == 0);
  }
  char *busy_path = victim_path("busy file");
  touch(busy_path);
  busy_queue = inotify_init1(0);
  pthread_t thread;
  MUST(busy_queue >= 0 && inotify_add_watch(busy_queue, busy_path, IN_MODIFY) == 1);
  if (argc > 2 && strcmp(argv[2], "busy") == 0) MUST(pthread_create(&thread, NULL, write_busily, busy_path) == 0 && pthread_create(&thread, NULL, read_busily, NULL) == 0 && victim_await_above(&events, 3));
  char drained[4096];
  while (read(queue, drained, sizeof drained) > 0) {
  }
  if (argc > 2 && strcmp(argv[2], "pending") == 0) touch(victim_path("watched/pending"));
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  if (argc > 2 && strcmp(argv[2], "pending") == 0) expect_event("the event that waited", queue, directory, IN_CREATE, "pending");
  if (argc > 2 && strcmp(argv[2], "busy") == 0) EXPECT(victim_await_above(&events, atomic_load(&events) + 5), "no events come in the busy queue");
  expect_quiet("the queue", queue);
  expect_quiet("the queue with thousands of watches", blocking);
  expect_quiet("the empty queue", empty);
  EXPECT((fcntl(queue, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(queue, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(blocking, F_GETFL) & O_NONBLOCK) == 0, "flags changed");
  touch(victim_path("watched/new"));
  expect_event("a new file", queue, directory, IN_CREATE, "new");
  int fd = open(file_path, O_WRONLY);
  EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "the watched file cannot be written");
  expect_event("a write", queue, file, IN_MODIFY, NULL);
  expect_event("a close", queue, file, IN_CLOSE_WRITE, NULL);
  EXPECT(write(gone, "x", 1) == 1, "the unlinked file cannot be written");
  expect_event("a write to the unlinked file", queue, of_gone, IN_MODIFY, NULL);
  expect_event("the end of the watch for one event", queue, of_gone, IN_IGNORED, NULL);
  if (of_lost > 0) {
    EXPECT(write(lost, "x", 1) == 1, "the file with another name cannot be written");
    expect_event("a write to the file with another name", queue, of_lost, IN_MODIFY, NULL);
  }
  fd = open(moved_away_path, O_WRONLY);
  EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "the moved file cannot be written");
  expect_event("a write to the moved file", queue, of_moved, IN_MODIFY, NULL);
  EXPECT(rename(victim_path("watched/new"), victim_path("watched/newer")) == 0, "cannot rename");
  expect_event("a move away", queue, directory, IN_MOVED_FROM, "new");
  expect_event("a move to", queue, directory, IN_MOVED_TO, "newer");
  EXPECT(unlink(link_path) == 0, "cannot unlink the link");
  expect_event("the link's loss of its name", queue, link_itself, IN_ATTRIB, NULL);
  expect_event("the link's end", queue, link_itself, IN_DELETE_SELF, NULL);
  expect_event("the end of the link's watch", queue, link_itself, IN_IGNORED, NULL);
  expect_quiet("the queue at the end", queue);
  for (int i = 0; i < MANY; i += 333) {
    char path[2300];
    snprintf(path, sizeof path, "%s/%d", many_path, i);
    fd = open(path, O_WRONLY);
    EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "file %d cannot be written", i);
    expect_event("one of thousands", blocking, many[i], IN_MODIFY, NULL);
  }
  expect_quiet("the queue with thousands of watches at the end", blocking);
  if (fan >= 0) {
    fd = open(ignored_path, O_WRONLY);
    EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "the marked file cannot be written");
    struct fanotify_event_metadata event[4];
    ssize_t length = read(fan, event, sizeof event);
    EXPECT(length == (ssize_t)sizeof *event && event->mask == FAN_CLOSE_WRITE && event->pid == getpid(), "fanotify gave %zd bytes, mask %#llx", length, event->mask);
    if (length > 0) close(event->fd);
  }
  victim_end();
}
