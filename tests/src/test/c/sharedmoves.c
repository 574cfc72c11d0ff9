// Shared anonymous memory of parent and child: partly unmapped, moved, mapped again through map_files; and private memory that both
// inherited, some of it written by one of them.
#include "victim.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 16UL
#define INHERITED 40

static char *regions[3], *again[2], *inherited[INHERITED];

static void *map(size_t pages, int flags, int fd, off_t offset) {
  void *at = mmap(NULL, pages * PAGE_BYTES, RW, flags, fd, offset);
  MUST(at != MAP_FAILED);
  return at;
}

// The object behind a mapping, opened by the place of the mapping.
static int behind(const char *at, size_t pages) {
  char path[96];
  unsigned long start = (unsigned long)(uintptr_t)at;
  snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", start, start + pages * PAGE_BYTES);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  MUST(fd >= 0);
  return fd;
}

static void turn(uint64_t side, uint64_t number) {
  uint64_t page = 4 + 2 * (number % 3) + side;
  victim_fill(regions[0] + page * PAGE_BYTES, page, number);
  victim_fill(regions[2] + (1 + side) * PAGE_BYTES, side, number);
}

static void check(uint64_t side, uint64_t last) {
  for (uint64_t back = 0; back < 3 && last > back; back++) {
    uint64_t page = 4 + 2 * ((last - back) % 3) + side;
    EXPECT(victim_check(regions[0] + page * PAGE_BYTES, page, last - back), "side %lu: page %lu is not of turn %lu", side, page, last - back);
  }
  EXPECT(victim_check(regions[2] + (1 + side) * PAGE_BYTES, side, last), "side %lu: the moved region is not of turn %lu", side, last);
  for (uint64_t i = 0; i < INHERITED; i++) {
    bool own = i % 4 == 1 + side;
    for (uint64_t page = 0; page < 4; page++) {
      uint64_t version = own && page == 2 ? 100 + side : 1;
      EXPECT(victim_check(inherited[i] + page * PAGE_BYTES, i, version), "side %lu: page %lu of inherited region %lu changed", side, page, i);
    }
  }
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  for (int i = 0; i < 3; i++) regions[i] = map(PAGES, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (uint64_t i = 0; i < INHERITED; i++) {
    inherited[i] = map(4, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uint64_t page = 0; page < 4; page++) victim_fill(inherited[i] + page * PAGE_BYTES, i, 1);
  }
  for (uint64_t i = 0; i < PAGES; i++) victim_fill(regions[1] + i * PAGE_BYTES, i, 7);
  int fd = behind(regions[1], PAGES);
  again[0] = map(4, MAP_SHARED, fd, 8 * (off_t)PAGE_BYTES);
  again[1] = map(4, MAP_PRIVATE, fd, 4 * (off_t)PAGE_BYTES);
  close(fd);
  victim_fill(again[1] + PAGE_BYTES, 5, 8);
  // The middle of the second goes, its end moves, the third moves as a whole and grows smaller.
  MUST(munmap(regions[1] + 3 * PAGE_BYTES, 5 * PAGE_BYTES) == 0);
  char *moved = mremap(regions[1] + 12 * PAGE_BYTES, 4 * PAGE_BYTES, 4 * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, map(4, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  MUST(moved != MAP_FAILED);
  regions[2] = mremap(regions[2], PAGES * PAGE_BYTES, 6 * PAGE_BYTES, MREMAP_MAYMOVE);
  MUST(regions[2] != MAP_FAILED);
  pid_t child = fork();
  MUST(child >= 0);
  uint64_t side = child == 0;
  for (uint64_t i = 0; i < INHERITED; i++) {
    if (i % 4 == 1 + side) victim_fill(inherited[i] + 2 * PAGE_BYTES, i, 100 + side);
  }
  if (child != 0) {
    victim_sleep_millis(50);
    victim_remember_mappings();
    victim_ready();
  }
  uint64_t number = 0;
  while (!victim_should_stop()) {
    turn(side, ++number);
    victim_sleep_millis(2);
  }
  check(side, number);
  if (child == 0) _exit(0);
  victim_expect_same_mappings();
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  for (uint64_t i = 0; i < 3; i++) EXPECT(victim_check(regions[1] + i * PAGE_BYTES, i, 7), "page %lu before the hole changed", i);
  for (uint64_t i = 8; i < 12; i++) EXPECT(victim_check(regions[1] + i * PAGE_BYTES, i, 7) && victim_check(again[0] + (i - 8) * PAGE_BYTES, i, 7), "page %lu behind the hole changed", i);
  for (uint64_t i = 12; i < PAGES; i++) EXPECT(victim_check(moved + (i - 12) * PAGE_BYTES, i, 7), "page %lu that was moved changed", i);
  victim_fill(again[0], 99, 9);
  EXPECT(victim_check(regions[1] + 8 * PAGE_BYTES, 99, 9), "the mapping through map_files is not of the same memory");
  EXPECT(victim_check(again[1], 4, 7) && victim_check(again[1] + PAGE_BYTES, 5, 8), "the private mapping through map_files changed");
  victim_end();
}
