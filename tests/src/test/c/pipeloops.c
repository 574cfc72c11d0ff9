// Pipes in traffic between several processes: a ring, several writers and readers on one pipe, ends crossed by dup2, an end opened again
// through /proc.
#include "victim.h"

#include <poll.h>

#define RING 4
#define WRITERS 2
#define READERS 2

static pid_t children[RING + WRITERS + READERS + 1];
static int count;

static pid_t child_begins(void) {
  pid_t child = fork();
  MUST(child >= 0);
  if (child != 0) children[count++] = child;
  return child;
}

static void run_station(int ring[RING][2], int station) {
  for (int i = 0; i < RING; i++) {
    if (i != station) close(ring[i][0]);
    if (i != (station + 1) % RING) close(ring[i][1]);
  }
  uint64_t block[512];
  while (read(ring[station][0], block, sizeof block) == sizeof block) {
    for (uint64_t i = 1; i < 512; i++) EXPECT(block[i] == block[0] + i, "station %d: word %lu of the block is %lu, the first is %lu", station, i, block[i], block[0]);
    if (station == 0) {
      victim_sleep_millis(1);
      if (victim_should_stop()) break;
    }
    for (uint64_t i = 512; i-- > 0;) block[i] += 3;
    if (write(ring[(station + 1) % RING][1], block, sizeof block) != sizeof block) break;
  }
  _exit(0);
}

// Messages of 64 bytes are whole however many read and write; each carries its writer and number.
static void run_writer(int out, uint64_t writer) {
  uint64_t message[8];
  for (uint64_t number = 1; !victim_should_stop(); number++) {
    for (uint64_t i = 0; i < 8; i++) message[i] = writer << 56 | number;
    if (write(out, message, sizeof message) != sizeof message) _exit(1);
    victim_sleep_millis(1);
  }
  _exit(0);
}

static void run_reader(int in) {
  uint64_t message[8], last[WRITERS] = {0, 0};
  ssize_t got;
  while ((got = read(in, message, sizeof message)) > 0) {
    uint64_t writer = message[0] >> 56, number = message[0] & 0xffffffffffffffUL;
    for (int i = 1; i < 8; i++) EXPECT(message[i] == message[0], "a message is made of two");
    EXPECT(got == sizeof message && writer < WRITERS && number > last[writer], "message %lu of writer %lu came after %lu", number, writer, last[writer]);
    if (writer < WRITERS) last[writer] = number;
  }
  _exit(last[0] + last[1] > 0 ? 0 : 2);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  int ring[RING][2], common[2], there[2], back[2], again[2];
  for (int i = 0; i < RING; i++) MUST(pipe(ring[i]) == 0);
  for (int i = 0; i < RING; i++) {
    if (child_begins() == 0) run_station(ring, i);
  }
  uint64_t block[512];
  for (uint64_t i = 0; i < 512; i++) block[i] = 100 + i;
  MUST(write(ring[0][1], block, sizeof block) == sizeof block);
  for (int i = 0; i < RING; i++) close(ring[i][0]), close(ring[i][1]);
  MUST(pipe(common) == 0);
  for (uint64_t i = 0; i < WRITERS; i++) {
    if (child_begins() == 0) close(common[0]), run_writer(common[1], i);
  }
  for (int i = 0; i < READERS; i++) {
    if (child_begins() == 0) close(common[1]), run_reader(common[0]);
  }
  close(common[0]);
  close(common[1]);
  // Parent and child hold the ends under each other's numbers.
  MUST(pipe(there) == 0 && pipe(back) == 0);
  MUST(write(there[1], "before", 6) == 6);
  if (child_begins() == 0) {
    int out = dup(back[1]), in = dup(there[0]);
    MUST(dup2(in, back[1]) == back[1] && dup2(out, there[0]) == there[0]);
    close(in), close(out), close(back[0]), close(there[1]);
    char text[16] = "";
    EXPECT(read(back[1], text, 6) == 6 && memcmp(text, "before", 6) == 0, "the child read '%s'", text);
    for (char byte; read(back[1], &byte, 1) == 1;) MUST(write(there[0], &byte, 1) == 1);
    _exit(0);
  }
  close(there[0]);
  close(back[1]);
  // A second description of the same read end, and only that does not block.
  MUST(pipe2(again, O_CLOEXEC) == 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", again[0]);
  int second = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  MUST(second >= 0);
  victim_ready();
  for (unsigned char turn = 0; !victim_should_stop(); turn++) {
    unsigned char got = (unsigned char)~turn;
    EXPECT(write(there[1], &turn, 1) == 1 && read(back[0], &got, 1) == 1 && got == turn, "byte %d came back as %d", turn, got);
    victim_sleep_millis(1);
  }
  char byte;
  EXPECT((fcntl(again[0], F_GETFL) & O_NONBLOCK) == 0 && (fcntl(second, F_GETFL) & O_NONBLOCK) != 0, "flags are %#x and %#x", fcntl(again[0], F_GETFL), fcntl(second, F_GETFL));
  EXPECT(read(second, &byte, 1) == -1 && errno == EAGAIN, "the second description blocks");
  EXPECT(write(again[1], "ab", 2) == 2 && read(second, &byte, 1) == 1 && byte == 'a' && read(again[0], &byte, 1) == 1 && byte == 'b', "the two descriptions are not of one pipe");
  close(there[1]);
  EXPECT(read(back[0], &byte, 1) == 0, "the child did not see the end of file");
  for (int i = 0; i < count; i++) {
    int status = 0;
    EXPECT(waitpid(children[i], &status, 0) == children[i] && status == 0, "child %d ended with status %#x", i, status);
  }
  victim_end();
}
