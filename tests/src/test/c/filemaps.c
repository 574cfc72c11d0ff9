// Mappings of a regular file, shared and private with pages of their own; mappings without read permission; guard pages; and the
// program's own data segment.
#include "victim.h"

#include <sys/prctl.h>

#define PAGES 32

static char data_segment[4 * PAGE_BYTES] __attribute__((aligned(4096))) = "initialised data";
static const char read_only[] = "constant";

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  char *path = victim_path("mapped");
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  MUST(file >= 0);
  char page[PAGE_BYTES];
  for (int i = 0; i < PAGES; i++) {
    victim_fill(page, (uint64_t)i, 5);
    MUST(write(file, page, sizeof page) == sizeof page);
  }
  char *shared = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  char *private = mmap(NULL, (PAGES - 4) * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 4 * PAGE_BYTES);
  char *read_private = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ, MAP_PRIVATE, file, 0);
  MUST(shared != MAP_FAILED && private != MAP_FAILED && read_private != MAP_FAILED);
  MUST(close(file) == 0);
  for (int i = 0; i < PAGES - 4; i += 3) victim_fill(private + (uint64_t)i * PAGE_BYTES, 500 + (uint64_t)i, 1);
  MUST(mprotect(private + 8 * PAGE_BYTES, 4 * PAGE_BYTES, PROT_READ) == 0);
  char *hidden = mmap(NULL, 8 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(hidden != MAP_FAILED);
  for (uint64_t i = 0; i < 8; i += 2) victim_fill(hidden + i * PAGE_BYTES, 900 + i, 1);
  MUST(mprotect(hidden, 8 * PAGE_BYTES, PROT_NONE) == 0);
  char *sparse = mmap(NULL, 4096 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  MUST(sparse != MAP_FAILED);
  for (uint64_t i = 0; i < 4096; i += 257) victim_fill(sparse + i * PAGE_BYTES, i, 2);
  prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, sparse, 4096 * PAGE_BYTES, "victim sparse");
  strcpy(data_segment, "changed data");
  uint64_t version = 0;
  victim_ready();
  while (!victim_should_stop()) {
    version++;
    victim_fill(private + 3 * PAGE_BYTES, 503, version);
    victim_fill(shared + 2 * PAGE_BYTES, 2, version + 5);
    victim_sleep_millis(3);
    EXPECT(victim_check(private + 3 * PAGE_BYTES, 503, version), "a private page is not version %lu", version);
    EXPECT(victim_check(shared + 2 * PAGE_BYTES, 2, version + 5), "a shared page is not version %lu", version + 5);
  }
  for (uint64_t i = 0; i < PAGES; i++) {
    uint64_t expected = i == 2 ? version + 5 : 5;
    EXPECT(victim_check(shared + i * PAGE_BYTES, i, expected), "page %lu of the shared file mapping is wrong", i);
    EXPECT(victim_check(read_private + i * PAGE_BYTES, i, expected), "page %lu of the read-only file mapping is wrong", i);
    if (i < 4) continue;
    uint64_t own = i - 4;
    bool written = own % 3 == 0;
    uint64_t number = written ? 500 + own : i;
    EXPECT(victim_check(private + own * PAGE_BYTES, number, own == 3 ? version : written ? 1 : 5), "page %lu of the private file mapping is wrong", own);
  }
  MUST(mprotect(hidden, 8 * PAGE_BYTES, PROT_READ) == 0);
  for (uint64_t i = 0; i < 8; i++) {
    if (i % 2 == 0) EXPECT(victim_check(hidden + i * PAGE_BYTES, 900 + i, 1), "hidden page %lu is wrong", i);
    else EXPECT(hidden[i * PAGE_BYTES] == 0, "hidden page %lu is not zero", i);
  }
  for (uint64_t i = 0; i < 4096; i++) {
    if (i % 257 == 0) EXPECT(victim_check(sparse + i * PAGE_BYTES, i, 2), "sparse page %lu is wrong", i);
    else EXPECT(sparse[i * PAGE_BYTES + 77] == 0, "sparse page %lu is not zero", i);
  }
  EXPECT(strcmp(data_segment, "changed data") == 0 && strcmp(read_only, "constant") == 0, "the data segment is wrong");
  int again = open(path, O_RDONLY);
  EXPECT(pread(again, page, sizeof page, 2 * PAGE_BYTES) == sizeof page && victim_check(page, 2, version + 5), "the file does not have the last version of the shared page");
  close(again);
  victim_end();
}
