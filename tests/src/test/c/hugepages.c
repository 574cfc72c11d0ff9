// Memory of huge pages (hugetlb): private and shared anonymous, inherited by a child, a memfd mapped both ways, System V. The test
// reserves the pages first.
#include "victim.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define HUGE (2UL << 20)
#define RW (PROT_READ | PROT_WRITE)

enum { PRIVATE_ANON, SHARED_ANON, SEGMENT, FILE_SHARED, FILE_PRIVATE, KINDS };
static const char *const names[] = {"private", "shared", "System V", "memfd, shared", "memfd, private"};
static char *memory[KINDS];
static int memfd;

static void *map(size_t pages, int flags, int fd) {
  void *at = mmap(NULL, pages * HUGE, RW, flags, fd, 0);
  MUST(at != MAP_FAILED);
  return at;
}

// Device number of a mapping, from /proc/self/maps: hugetlbfs has one of its own.
static void device_of(const char *at, char *device) {
  FILE *maps = fopen("/proc/self/maps", "r");
  unsigned long start = 0;
  for (char line[4400]; fgets(line, sizeof line, maps) != NULL;) {
    if (sscanf(line, "%lx-%*x %*s %*x %15s", &start, device) == 2 && start == (uintptr_t)at) break;
  }
  fclose(maps);
  EXPECT(start == (uintptr_t)at, "there is no mapping at %p", at);
}

static void check(int side) {
  for (int i = 0; i < KINDS; i++) {
    if (i == PRIVATE_ANON || i == FILE_PRIVATE) {
      EXPECT(victim_check(memory[i] + HUGE + 5 * PAGE_BYTES, (uint64_t)(10 * i + side), 1), "side %d: %s: its own page changed", side, names[i]);
    }
    if (i != FILE_PRIVATE) EXPECT(victim_check(memory[i] + 7 * PAGE_BYTES, (uint64_t)i, 2), "side %d: %s: the first page changed", side, names[i]);
    EXPECT(victim_check(memory[i] + 9 * PAGE_BYTES, (uint64_t)i, 3) || i == FILE_SHARED || i == FILE_PRIVATE, "side %d: %s: a page changed", side, names[i]);
  }
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  memory[PRIVATE_ANON] = map(2, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  memory[SHARED_ANON] = map(1, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  int segment = shmget(IPC_PRIVATE, HUGE, IPC_CREAT | SHM_HUGETLB | 0600);
  MUST(segment >= 0);
  memory[SEGMENT] = shmat(segment, NULL, 0);
  MUST(memory[SEGMENT] != (void *)-1 && shmctl(segment, IPC_RMID, NULL) == 0);
  memfd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
  MUST(memfd >= 0 && ftruncate(memfd, 2 * (off_t)HUGE) == 0);
  memory[FILE_SHARED] = map(2, MAP_SHARED, memfd);
  memory[FILE_PRIVATE] = map(2, MAP_PRIVATE, memfd);
  for (int i = 0; i < FILE_PRIVATE; i++) victim_fill(memory[i] + 7 * PAGE_BYTES, (uint64_t)i, 2), victim_fill(memory[i] + 9 * PAGE_BYTES, (uint64_t)i, 3);
  pid_t child = fork();
  MUST(child >= 0);
  int side = child == 0;
  victim_fill(memory[PRIVATE_ANON] + HUGE + 5 * PAGE_BYTES, (uint64_t)side, 1);
  victim_fill(memory[FILE_PRIVATE] + HUGE + 5 * PAGE_BYTES, (uint64_t)(10 * FILE_PRIVATE + side), 1);
  char before[KINDS][16] = {"", "", "", "", ""}, after[16] = "";
  for (int i = 0; i < KINDS; i++) device_of(memory[i], before[i]);
  victim_remember_mappings();
  if (child != 0) {
    victim_sleep_millis(100);
    victim_ready();
  }
  uint64_t turn = 0;
  while (!victim_should_stop()) {
    turn++;
    for (int i = SHARED_ANON; i < FILE_PRIVATE; i++) victim_fill(memory[i] + (20 + side) * (long)PAGE_BYTES, (uint64_t)(100 + side), turn);
    victim_sleep_millis(5);
  }
  for (int i = SHARED_ANON; i < FILE_PRIVATE; i++) EXPECT(victim_check(memory[i] + (20 + side) * (long)PAGE_BYTES, (uint64_t)(100 + side), turn), "side %d: %s: what was written last is not there", side, names[i]);
  victim_expect_same_mappings();
  for (int i = 0; i < KINDS; i++) {
    device_of(memory[i], after);
    EXPECT(strcmp(before[i], after) == 0, "%s: the device is %s and was %s", names[i], after, before[i]);
  }
  check(side);
  if (child == 0) _exit(0);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  victim_fill(memory[FILE_SHARED] + HUGE, 77, 4);
  static char page[PAGE_BYTES];
  EXPECT(pread(memfd, page, sizeof page, (off_t)HUGE) == (ssize_t)sizeof page && victim_check(page, 77, 4), "the memfd and its shared mapping differ");
  EXPECT(victim_check(memory[FILE_PRIVATE] + HUGE + 5 * PAGE_BYTES, 10 * FILE_PRIVATE, 1), "the private mapping of the memfd changed");
  victim_end();
}
