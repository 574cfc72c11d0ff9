// Memory that processes share: anonymous shared, memfd (mapped twice and open), a file on tmpfs, System V. Parent and child each
// write their half and read the other's; a private mapping of a memfd keeps its own pages.
#include "victim.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define PAGES 64

struct shared {
  _Atomic uint64_t counts[2];
  char pad[PAGE_BYTES - 16];
  char pages[PAGES][PAGE_BYTES];
};

static const char *const kinds[] = {"anonymous", "memfd", "tmpfs", "System V"};

// Each turn, side s writes page 2k + s of every object with the turn as version, and checks that the other side's pages move on.
static void turn(struct shared *memory, int kind, int side, uint64_t version) {
  uint64_t page = (version % (PAGES / 2)) * 2 + (uint64_t)side;
  victim_fill(memory->pages[page], page + 1000 * (uint64_t)kind, version);
  atomic_store(&memory->counts[side], version);
}

static void check(struct shared *memory, int kind, int side) {
  uint64_t version = atomic_load(&memory->counts[side]);
  for (uint64_t back = 0; back < 20 && version > back; back++) {
    uint64_t page = ((version - back) % (PAGES / 2)) * 2 + (uint64_t)side;
    EXPECT(victim_check(memory->pages[page], page + 1000 * (uint64_t)kind, version - back), "%s: page %lu of side %d is not version %lu", kinds[kind], page, side, version - back);
  }
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  struct shared *objects[4];
  size_t bytes = sizeof(struct shared);
  objects[0] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int memfd = memfd_create("victim-memory", MFD_CLOEXEC);
  MUST(memfd >= 0 && ftruncate(memfd, (off_t)bytes) == 0);
  objects[1] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
  char name[64];
  snprintf(name, sizeof name, "/dev/shm/pagelift-victim-%d", (int)getpid());
  int tmpfs = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  MUST(tmpfs >= 0 && ftruncate(tmpfs, (off_t)bytes) == 0);
  objects[2] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, tmpfs, 0);
  bool system_v = argc > 2 && strcmp(argv[2], "sysv") == 0;
  int kind_count = system_v ? 4 : 3;
  int segment = -1;
  if (system_v) {
    segment = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
    MUST(segment >= 0);
    objects[3] = shmat(segment, NULL, 0);
    MUST(objects[3] != (void *)-1);
  }
  for (int i = 0; i < 3; i++) MUST(objects[i] != MAP_FAILED);
  struct shared *again = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
  char *private = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd, PAGE_BYTES);
  MUST(again != MAP_FAILED && private != MAP_FAILED);
  victim_fill(private + 3 * PAGE_BYTES, 99, 1);
  pid_t child = fork();
  MUST(child >= 0);
  int side = child == 0;
  if (child == 0 && system_v) MUST(shmdt(objects[3]) == 0);
  int mine = child == 0 && system_v ? 3 : kind_count;
  uint64_t version = 0;
  if (child != 0) {
    while (atomic_load(&objects[0]->counts[1]) == 0) victim_sleep_millis(1);
    victim_ready();
  }
  while (!victim_should_stop()) {
    version++;
    for (int i = 0; i < mine; i++) {
      turn(objects[i], i, side, version);
      check(objects[i], i, side);
    }
    victim_sleep_millis(2);
  }
  if (child == 0) {
    for (int i = 0; i < mine; i++) check(objects[i], i, 1);
    _exit(0);
  }
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  for (int i = 0; i < kind_count; i++) {
    check(objects[i], i, 0);
    if (i < 3) check(objects[i], i, 1);
    EXPECT(i == 3 || atomic_load(&objects[i]->counts[1]) > 0, "%s: the child's count is gone", kinds[i]);
  }
  uint64_t counts[3];
  for (int i = 0; i < 3; i++) counts[i] = atomic_load(&objects[i]->counts[1]);
  EXPECT(counts[0] == counts[1] && counts[1] == counts[2], "the child's counts differ between objects: %lu %lu %lu", counts[0], counts[1], counts[2]);
  EXPECT(memcmp(again, objects[1], bytes) == 0, "two mappings of the memfd differ");
  static struct shared copy;
  EXPECT(pread(memfd, &copy, bytes, 0) == (ssize_t)bytes && memcmp(&copy, objects[1], bytes) == 0, "the memfd and its mapping differ");
  EXPECT(pread(tmpfs, &copy, bytes, 0) == (ssize_t)bytes && memcmp(&copy, objects[2], bytes) == 0, "the tmpfs file and its mapping differ");
  EXPECT(victim_check(private + 3 * PAGE_BYTES, 99, 1), "the private page of the memfd mapping is not its own any more");
  EXPECT(memcmp(private + 5 * PAGE_BYTES, objects[1]->pages[5], PAGE_BYTES) == 0, "an unwritten page of the private mapping does not show the memfd");
  unlink(name);
  if (system_v) shmctl(segment, IPC_RMID, NULL);
  EXPECT((fcntl(tmpfs, F_GETFL) & (O_NOFOLLOW | O_ACCMODE)) == (O_NOFOLLOW | O_RDWR), "the tmpfs file has flags %#x", fcntl(tmpfs, F_GETFL));
  victim_end();
}
