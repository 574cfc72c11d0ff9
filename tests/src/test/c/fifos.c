// Named pipes: with data, one-ended, unlinked, passed through all the time by a ring of processes, opened and closed all the time.
#include "victim.h"

#include <poll.h>
#include <sys/ioctl.h>

#define RING 4
#define TEXT 5000

static char text[TEXT];
static int ring[RING][2];

static int make(const char *name, int flags) {
  char *path = victim_path(name);
  MUST(mkfifo(path, 0640) == 0);
  int fd = open(path, flags | O_CLOEXEC);
  MUST(fd >= 0);
  return fd;
}

static int again(const char *name, int flags) {
  int fd = open(victim_path(name), flags | O_CLOEXEC);
  MUST(fd >= 0);
  return fd;
}

static short events(int fd) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLOUT};
  poll(&poll_fd, 1, 0);
  return poll_fd.revents;
}

static void expect_text(const char *what, int fd, size_t length) {
  char got[TEXT] = {0};
  size_t done = 0;
  int left = -1;
  if (ioctl(fd, FIONREAD, &left) != 0 || left != (int)length) {
    victim_fail("%s holds %d bytes of %zu", what, left, length);
    return;
  }
  for (ssize_t part; done < length && (part = read(fd, got + done, length - done)) > 0;) done += (size_t)part;
  EXPECT(done == length && memcmp(got, text, length) == 0, "%s gave %zu bytes of %zu, or other ones", what, done, length);
}

// A token of 512 bytes that grows by one at each station.
static void run_station(int station) {
  uint64_t token[64];
  int in = ring[station][0], out = ring[(station + 1) % RING][1];
  for (int i = 0; i < RING; i++) {
    if (ring[i][0] != in) close(ring[i][0]);
    if (ring[i][1] != out) close(ring[i][1]);
  }
  for (uint64_t expected = UINT64_MAX; read(in, token, sizeof token) == sizeof token;) {
    if (expected != UINT64_MAX && token[0] != expected) victim_fail("station %d: the token is %lu instead of %lu", station, token[0], expected);
    for (int i = 1; i < 64; i++) EXPECT(token[i] == token[0] * (uint64_t)i, "station %d: word %d of the token is %lu", station, i, token[i]);
    expected = token[0] + RING;
    token[0]++;
    for (uint64_t i = 1; i < 64; i++) token[i] = token[0] * i;
    if (victim_should_stop() && station == 0) break;
    if (station == 0) victim_sleep_millis(1);
    if (write(out, token, sizeof token) != sizeof token) break;
  }
  _exit(0);
}

// Opens a FIFO anew for every message; a partner does the same.
static void run_dynamic(bool writes) {
  for (uint64_t number = 1; !victim_should_stop(); number++) {
    int fd = open(victim_path("dynamic"), (writes ? O_WRONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0) _exit(1);
    if (writes && write(fd, &number, sizeof number) != sizeof number) _exit(2);
    uint64_t got;
    if (!writes && read(fd, &got, sizeof got) != sizeof got) _exit(3);
    close(fd);
    victim_sleep_millis(number % 16 == 0 ? 10 : 2);
  }
  _exit(0);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; i < TEXT; i++) text[i] = (char)(i * 13 / 3);
  int both = make("both", O_RDWR);
  MUST(write(both, text, 1000) == 1000);
  int feeder = make("read-only", O_RDWR);
  int reader = again("read-only", O_RDONLY);
  MUST(write(feeder, text, 2000) == 2000 && close(feeder) == 0);
  int silent = make("never-written", O_RDONLY | O_NONBLOCK);
  int wronly_helper = make("write-only", O_RDWR);
  int writer = again("write-only", O_WRONLY);
  int unread = again("both", O_RDONLY);
  close(unread);
  int lonely_helper = make("no-reader", O_RDWR);
  int lonely = again("no-reader", O_WRONLY);
  close(lonely_helper);
  int unlinked = make("unlinked", O_RDWR | O_NONBLOCK);
  int unlinked_reader = again("unlinked", O_RDONLY | O_NONBLOCK);
  MUST(write(unlinked, text, 3000) == 3000 && fcntl(unlinked, F_SETPIPE_SZ, 131072) == 131072 && unlink(victim_path("unlinked")) == 0);
  int gone_writer_helper = make("unlinked-writer", O_RDWR);
  int gone_writer = again("unlinked-writer", O_WRONLY);
  MUST(unlink(victim_path("unlinked-writer")) == 0);
  MUST(mkfifo(victim_path("dynamic"), 0600) == 0);
  for (int i = 0; i < RING; i++) {
    char name[16];
    snprintf(name, sizeof name, "ring%d", i);
    int helper = make(name, O_RDWR);
    ring[i][0] = again(name, O_RDONLY);
    ring[i][1] = again(name, O_WRONLY);
    close(helper);
  }
  pid_t children[RING + 3];
  int count = 0;
  for (int station = 0; station < RING; station++) {
    if ((children[count++] = fork()) == 0) run_station(station);
  }
  uint64_t token[64];
  for (uint64_t i = 0; i < 64; i++) token[i] = i == 0 ? 7 : 7 * i;
  MUST(write(ring[0][1], token, sizeof token) == sizeof token);
  for (int i = 0; i < RING; i++) close(ring[i][0]), close(ring[i][1]);
  for (int i = 0; i < 2; i++) {
    if ((children[count++] = fork()) == 0) run_dynamic(i == 0);
  }
  if ((children[count++] = fork()) == 0) {
    // The only reader of two FIFOs; the parent has the only writers.
    close(writer);
    close(gone_writer);
    uint64_t numbers[2] = {0, 0}, got;
    for (int open_ends = 2; open_ends > 0;) {
      struct pollfd ends[2] = {{.fd = wronly_helper, .events = POLLIN}, {.fd = gone_writer_helper, .events = POLLIN}};
      if (poll(ends, 2, 30000) <= 0) _exit(4);
      for (int i = 0; i < 2; i++) {
        if (ends[i].revents == 0) continue;
        if (read(ends[i].fd, &got, sizeof got) != sizeof got || (got != UINT64_MAX && got != ++numbers[i])) _exit(5 + i);
        open_ends -= got == UINT64_MAX;
      }
    }
    _exit(numbers[0] > 3 && numbers[0] == numbers[1] ? 0 : 7);
  }
  close(wronly_helper);
  close(gone_writer_helper);
  short reader_events = events(reader), silent_events = events(silent), lonely_events = events(lonely);
  char link_before[4096] = "", link_after[4096] = "", proc[64];
  snprintf(proc, sizeof proc, "/proc/self/fd/%d", unlinked);
  MUST(readlink(proc, link_before, sizeof link_before - 1) > 0);
  victim_ready();
  uint64_t number = 0;
  while (!victim_should_stop()) {
    number++;
    EXPECT(write(writer, &number, sizeof number) == sizeof number && write(gone_writer, &number, sizeof number) == sizeof number, "message %lu: %s", number, strerror(errno));
    victim_sleep_millis(2);
  }
  EXPECT(events(reader) == reader_events && events(silent) == silent_events && events(lonely) == lonely_events, "poll says %#x %#x %#x and said %#x %#x %#x", events(reader), events(silent), events(lonely), reader_events, silent_events, lonely_events);
  EXPECT(readlink(proc, link_after, sizeof link_after - 1) > 0 && strcmp(link_before, link_after) == 0, "the unlinked FIFO is %s and was %s", link_after, link_before);
  EXPECT(fcntl(reader, F_GETFL) == (O_RDONLY | 0100000) && (fcntl(silent, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(writer, F_GETFL) & O_ACCMODE) == O_WRONLY, "flags are %#x %#x %#x", fcntl(reader, F_GETFL), fcntl(silent, F_GETFL), fcntl(writer, F_GETFL));
  expect_text("the FIFO open for both", both, 1000);
  expect_text("the read-only FIFO", reader, 2000);
  EXPECT(read(reader, text, 1) == 0, "the read-only FIFO has no end of file");
  EXPECT(read(silent, text, 1) == 0, "the FIFO that nobody wrote to has no end of file");
  int first_writer = open(victim_path("never-written"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT(first_writer >= 0 && write(first_writer, "x", 1) == 1 && read(silent, text, 1) == 1, "the FIFO cannot be opened for writing: %s", strerror(errno));
  EXPECT(write(lonely, "x", 1) == -1 && errno == EPIPE, "writing without a reader is no error");
  text[0] = (char)0;
  expect_text("the unlinked FIFO", unlinked_reader, 3000);
  EXPECT(write(unlinked, "y", 1) == 1 && read(unlinked_reader, text, 1) == 1 && text[0] == 'y', "the ends of the unlinked FIFO are not one pipe");
  struct stat status_of;
  EXPECT(fstat(unlinked, &status_of) == 0 && status_of.st_nlink == 0 && (status_of.st_mode & 07777) == 0640 && fcntl(unlinked, F_GETPIPE_SZ) == 131072, "the unlinked FIFO has %lu names, mode %o, size %d", status_of.st_nlink, status_of.st_mode, fcntl(unlinked, F_GETPIPE_SZ));
  number = UINT64_MAX;
  EXPECT(write(writer, &number, sizeof number) == sizeof number && write(gone_writer, &number, sizeof number) == sizeof number, "the last message: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    int status = -1;
    // One of the two that open and close may wait for the other for ever.
    int end = open(victim_path("dynamic"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    for (int tries = 0; tries < 1000 && waitpid(children[i], &status, WNOHANG) == 0; tries++) {
      if (write(end, &number, sizeof number) < 0 && errno != EAGAIN) break;
      victim_sleep_millis(10);
    }
    close(end);
    EXPECT(status == 0, "child %d ended with status %#x", i, status);
  }
  victim_end();
}
