// Maps, unmaps, remaps, protects, drops and writes at random, and knows what every page that it owns must hold. The table of
// expectations is in the same memory, so that a page of another moment than the table's shows at once.
// Arguments: SEED [PAUSE_MICROS between steps].
#include "victim.h"

#define REGIONS 96
#define LARGEST_PAGES 48

struct page {
  uint64_t number, version;  // version 0: never written since it was mapped or dropped, all zero
};

struct region {
  char *start;
  size_t page_count;
  int protection;
  struct page pages[LARGEST_PAGES];
};

static struct region regions[REGIONS];
static uint64_t random_state, next_number = 1, steps;

static size_t below(size_t bound) { return victim_random(&random_state) % bound; }

static void check_page(struct region *region, size_t index, const char *when) {
  const char *address = region->start + index * PAGE_BYTES;
  const struct page *page = &region->pages[index];
  if ((region->protection & PROT_READ) == 0) return;
  if (page->version != 0) {
    EXPECT(victim_check(address, page->number, page->version), "%s, step %lu: page %p is not %lu version %lu", when, steps, (const void *)address, page->number, page->version);
    return;
  }
  for (size_t i = 0; i < PAGE_BYTES; i += 8) {
    if (*(const uint64_t *)(address + i) != 0) {
      victim_fail("%s, step %lu: page %p is not zero", when, steps, (const void *)address);
      return;
    }
  }
}

static void write_page(struct region *region, size_t index) {
  struct page *page = &region->pages[index];
  if (page->version == 0) page->number = next_number++;
  page->version++;
  victim_fill(region->start + index * PAGE_BYTES, page->number, page->version);
}

static void map(struct region *region) {
  size_t pages = 1 + below(LARGEST_PAGES);
  char *start = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(start != MAP_FAILED);
  *region = (struct region){.start = start, .page_count = pages, .protection = PROT_READ | PROT_WRITE};
  for (size_t i = 0; i < pages; i++) {
    if (below(3) != 0) write_page(region, i);
  }
}

static void unmap(struct region *region) {
  MUST(munmap(region->start, region->page_count * PAGE_BYTES) == 0);
  region->page_count = 0;
}

static void remap(struct region *region) {
  size_t pages = 1 + below(LARGEST_PAGES);
  char *start;
  if (below(2) == 0) {
    // To a new place, where something was unmapped a moment ago.
    char *place = mmap(NULL, pages * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(place != MAP_FAILED);
    start = mremap(region->start, region->page_count * PAGE_BYTES, pages * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, place);
  } else {
    start = mremap(region->start, region->page_count * PAGE_BYTES, pages * PAGE_BYTES, MREMAP_MAYMOVE);
  }
  MUST(start != MAP_FAILED);
  for (size_t i = region->page_count; i < pages; i++) region->pages[i] = (struct page){0, 0};
  region->start = start;
  region->page_count = pages;
}

static void protect(struct region *region) {
  static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
  region->protection = protections[below(4)];
  MUST(mprotect(region->start, region->page_count * PAGE_BYTES, region->protection) == 0);
}

static void drop(struct region *region) {
  size_t first = below(region->page_count), count = 1 + below(region->page_count - first);
  MUST(madvise(region->start + first * PAGE_BYTES, count * PAGE_BYTES, MADV_DONTNEED) == 0);
  for (size_t i = first; i < first + count; i++) region->pages[i] = (struct page){0, 0};
}

static void step(void) {
  struct region *region = &regions[below(REGIONS)];
  steps++;
  if (region->page_count == 0) {
    map(region);
    return;
  }
  check_page(region, below(region->page_count), "on the way");
  switch (below(12)) {
    case 0: unmap(region); break;
    case 1: case 2: remap(region); break;
    case 3: protect(region); break;
    case 4: drop(region); break;
    default:
      for (size_t i = below(6); i > 0 && (region->protection & PROT_WRITE) != 0; i--) write_page(region, below(region->page_count));
  }
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  long pause = argc > 3 ? atol(argv[3]) : 200;
  for (int i = 0; i < 2000; i++) step();
  victim_ready();
  while (!victim_should_stop()) {
    step();
    struct timespec time = {0, pause * 1000};
    if (pause > 0 && steps % 8 == 0) nanosleep(&time, NULL);
  }
  for (int i = 0; i < REGIONS; i++) {
    struct region *region = &regions[i];
    if (region->page_count == 0) continue;
    region->protection = PROT_READ;
    EXPECT(mprotect(region->start, region->page_count * PAGE_BYTES, PROT_READ) == 0, "a region is gone");
    for (size_t page = 0; page < region->page_count; page++) check_page(region, page, "in the end");
  }
  victim_end();
}
