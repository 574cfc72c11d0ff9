// Pipes: buffered bytes, a writer blocked on a full pipe, a size of its own, packets ("packets"), a named one ("fifo"), numbered traffic from a child.
#include "victim.h"

static int full[2];
static atomic_bool writer_done;
static _Atomic uint64_t writer_started;

static void *fill(void *argument) {
  (void)argument;
  static char bytes[200000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 31 / 7);
  atomic_fetch_add(&writer_started, 1);
  ssize_t written = write(full[1], bytes, sizeof bytes);
  // A blocked write that was interrupted may return what it had written so far, as write(2) says.
  for (size_t done = (size_t)written; written > 0 && done < sizeof bytes; done += (size_t)written) written = write(full[1], bytes + done, sizeof bytes - done);
  EXPECT(written > 0, "the blocked write failed: %s", strerror(errno));
  atomic_store(&writer_done, true);
  close(full[1]);
  return NULL;
}

static void expect_bytes(const char *what, int fd, const char *expected, size_t length) {
  char got[40000];
  size_t total = 0;
  ssize_t part;
  while (total < length && (part = read(fd, got + total, length - total)) > 0) total += (size_t)part;
  EXPECT(total == length && memcmp(got, expected, length) == 0, "%s has %zu other bytes, not %zu", what, total, length);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  static char text[30000];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i % 251);
  int buffered[2], empty[2], packets[2], traffic[2];
  MUST(pipe(full) == 0 && pipe2(buffered, O_NONBLOCK) == 0 && pipe2(empty, O_CLOEXEC) == 0 && pipe2(packets, O_DIRECT) == 0 && pipe(traffic) == 0);
  MUST(fcntl(buffered[0], F_SETPIPE_SZ, 262144) == 262144);
  MUST(write(buffered[1], text, sizeof text) == sizeof text);
  bool with_packets = argc > 2 && strcmp(argv[2], "packets") == 0, with_fifo = argc > 2 && strcmp(argv[2], "fifo") == 0;
  if (with_packets) {
    for (int i = 1; i <= 5; i++) MUST(write(packets[1], text, (size_t)(100 * i)) == 100 * i);
  } else {
    close(packets[0]);
    close(packets[1]);
  }
  char *fifo_path = victim_path("fifo");
  MUST(mkfifo(fifo_path, 0600) == 0);
  int fifo = with_fifo ? open(fifo_path, O_RDWR) : -1;
  MUST(!with_fifo || write(fifo, text, 1000) == 1000);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    close(traffic[0]);
    close(full[0]);
    close(full[1]);
    uint64_t number = 0;
    while (!victim_should_stop()) {
      number++;
      if (write(traffic[1], &number, sizeof number) != sizeof number) _exit(1);
      if (number % 50 == 0) victim_sleep_millis(1);
    }
    _exit(0);
  }
  close(traffic[1]);
  pthread_t writer;
  MUST(pthread_create(&writer, NULL, fill, NULL) == 0);
  MUST(victim_await_above(&writer_started, 0));
  victim_sleep_millis(20);
  victim_ready();
  uint64_t number = 0, expected = 0;
  // Ends when the child has closed its end: it stops by itself.
  for (ssize_t got = 0; (got = read(traffic[0], &number, sizeof number)) != 0;) {
    expected++;
    if (got != sizeof number || number != expected) {
      victim_fail("message %lu of the child came as %lu (%ld bytes)", expected, number, got);
      break;
    }
  }
  close(traffic[0]);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  EXPECT(!atomic_load(&writer_done), "the blocked writer wrote more than the pipe holds");
  char byte;
  size_t total = 0;
  while (read(full[0], &byte, 1) == 1) {
    EXPECT(byte == (char)(total * 31 / 7), "byte %zu of the full pipe is wrong", total);
    total++;
  }
  EXPECT(total == 200000, "the full pipe gave %zu bytes of 200000", total);
  pthread_join(writer, NULL);
  EXPECT(fcntl(buffered[0], F_GETPIPE_SZ) == 262144, "the pipe's size is %d", fcntl(buffered[0], F_GETPIPE_SZ));
  EXPECT((fcntl(buffered[0], F_GETFL) & O_NONBLOCK) != 0 && (fcntl(empty[0], F_GETFL) & O_NONBLOCK) == 0, "flags of the pipes changed");
  expect_bytes("the buffered pipe", buffered[0], text, sizeof text);
  EXPECT(read(buffered[0], &byte, 1) == -1 && errno == EAGAIN, "the buffered pipe has more than was written");
  EXPECT(write(empty[1], "!", 1) == 1 && read(empty[0], &byte, 1) == 1 && byte == '!', "the empty pipe does not work");
  if (with_fifo) expect_bytes("the named pipe", fifo, text, 1000);
  for (int i = 1; with_packets && i <= 5; i++) {
    char packet[4096];
    ssize_t length = read(packets[0], packet, sizeof packet);
    EXPECT(length == 100 * i && memcmp(packet, text, (size_t)length) == 0, "packet %d has %ld bytes", i, length);
  }
  victim_end();
}
