// Counts, rewrites memory and appends to a file, once a millisecond. Arguments: MEBIBYTES PAGES_PER_TICK EXTRA_MAPPINGS.
// Each line of "log" is "<count> <CLOCK_REALTIME in ns>": whoever reads it sees each gap in the count and each pause of the process.
#include "victim.h"

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  uint64_t pages = (argc > 2 ? strtoull(argv[2], NULL, 10) : 16) * (1024 * 1024 / PAGE_BYTES);
  uint64_t pages_per_tick = argc > 3 ? strtoull(argv[3], NULL, 10) : 4;
  char *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(memory != MAP_FAILED);
  uint64_t *versions = calloc(pages, sizeof *versions);
  MUST(versions != NULL);
  for (uint64_t page = 0; page < pages; page++) victim_fill(memory + page * PAGE_BYTES, page, 0);
  // Mappings that the kernel cannot merge: every other one has another protection.
  for (uint64_t extra = argc > 4 ? strtoull(argv[4], NULL, 10) : 0; extra > 0; extra--) {
    char *small = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(small != MAP_FAILED);
    victim_fill(small, extra, 0);
    if (extra % 2 == 0) MUST(mprotect(small, 2 * PAGE_BYTES, PROT_READ) == 0);
  }
  char *log_path = victim_path("log");
  int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  MUST(log >= 0);
  uint64_t random = 42;
  uint64_t count = 0;
  victim_ready();
  while (!victim_should_stop()) {
    count++;
    for (uint64_t i = 0; i < pages_per_tick; i++) {
      uint64_t page = victim_random(&random) % pages;
      versions[page]++;
      victim_fill(memory + page * PAGE_BYTES, page, versions[page]);
      uint64_t other = victim_random(&random) % pages;
      EXPECT(victim_check(memory + other * PAGE_BYTES, other, versions[other]), "page %lu is not version %lu at count %lu", other, versions[other], count);
    }
    char line[64];
    int length = snprintf(line, sizeof line, "%lu %lu\n", count, victim_nanos(CLOCK_REALTIME));
    EXPECT(write(log, line, (size_t)length) == length, "the log took less than a line: %s", strerror(errno));
    struct timespec tick = {0, 1000000};
    nanosleep(&tick, NULL);
  }
  for (uint64_t page = 0; page < pages; page++) {
    EXPECT(victim_check(memory + page * PAGE_BYTES, page, versions[page]), "page %lu is not version %lu in the end", page, versions[page]);
  }
  victim_end();
}
