// Mappings of every sort that mmap, madvise, mlock, mprotect, mbind and mseal can make, in a parent and a child: contents, protection,
// flags and policies as they were, and still in force. Options: "locked" with mlockall(MCL_FUTURE), "user" drops to another user.
#include "victim.h"

#include <sys/prctl.h>

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define ADVICES 8
#define MANY 4096
#define INNER 1500
#define GUARD_INSTALL 102
#define MPOL_F_STATIC_NODES (1 << 15)

static const int advices[ADVICES] = {MADV_DONTDUMP, MADV_DONTFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_WIPEONFORK, MADV_SEQUENTIAL, MADV_RANDOM};
static char *guarded[3], *sealed, *droppable, *wiped, *grows, *grows_lower, *advised[ADVICES], *locked, *locked_on_fault, *bound, *large, *reserved, *many, *inner, *protected, *file_shared, *named;
static int data_file;

static char *map(size_t pages, int protection, int flags, int fd) {
  char *at = mmap(NULL, pages * PAGE_BYTES, protection, flags, fd, 0);
  MUST(at != MAP_FAILED);
  return at;
}

// Apart from all others, so that the kernel merges it with none.
static char *map_apart(size_t pages, int flags) {
  char *at = map(pages + 2, PROT_NONE, PRIVATE | MAP_NORESERVE, -1);
  MUST(mmap(at + PAGE_BYTES, pages * PAGE_BYTES, RW, flags | MAP_FIXED, -1, 0) == at + PAGE_BYTES);
  return at + PAGE_BYTES;
}

static void set_up_guards(void) {
  int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  guarded[0] = map_apart(8, PRIVATE);
  guarded[1] = map_apart(8, MAP_SHARED | MAP_ANONYMOUS);
  guarded[2] = map(4, RW, MAP_PRIVATE, own);
  close(own);
  for (uint64_t i = 0; i < 8; i++) victim_fill(guarded[0] + i * PAGE_BYTES, i, 1), victim_fill(guarded[1] + i * PAGE_BYTES, i, 2);
  for (int i = 0; i < 3; i++) MUST(madvise(guarded[i] + PAGE_BYTES, 2 * PAGE_BYTES, GUARD_INSTALL) == 0);
}

static void check_guards(const char *who) {
  for (int i = 0; i < 3; i++) {
    for (size_t page = 0; page < 4; page++) {
      bool guard = page == 1 || page == 2;
      EXPECT(victim_faults(guarded[i] + page * PAGE_BYTES, true) == guard, "%s: guarded mapping %d: page %zu %s", who, i, page, guard ? "can be touched" : "faults");
    }
  }
  for (uint64_t i = 3; i < 8; i++) EXPECT(victim_check(guarded[0] + i * PAGE_BYTES, i, 1) && victim_check(guarded[1] + i * PAGE_BYTES, i, 2), "%s: page %lu beside the guards changed", who, i);
}

static void set_up_advice(void) {
  for (int i = 0; i < ADVICES; i++) {
    advised[i] = map_apart(4, PRIVATE);
    victim_fill(advised[i] + PAGE_BYTES, (uint64_t)i, 3);
    MUST(madvise(advised[i], 4 * PAGE_BYTES, advices[i]) == 0);
  }
  sealed = map_apart(3, PRIVATE);
  for (uint64_t i = 0; i < 3; i++) victim_fill(sealed + i * PAGE_BYTES, i, 4);
  MUST(mprotect(sealed, 3 * PAGE_BYTES, PROT_READ) == 0 && syscall(462, sealed, 3 * PAGE_BYTES, 0) == 0);
  droppable = map_apart(4, 8 | MAP_ANONYMOUS);
  memset(droppable, 7, 4 * PAGE_BYTES);
  wiped = map_apart(4, PRIVATE);
  memset(wiped, 8, 4 * PAGE_BYTES);
  MUST(madvise(wiped, 4 * PAGE_BYTES, MADV_WIPEONFORK) == 0);
  locked = map_apart(4, PRIVATE);
  locked_on_fault = map_apart(4, PRIVATE);
  victim_fill(locked + PAGE_BYTES, 5, 5);
  victim_fill(locked_on_fault, 6, 5);
  MUST(mlock(locked, 4 * PAGE_BYTES) == 0 && mlock2(locked_on_fault, 4 * PAGE_BYTES, MLOCK_ONFAULT) == 0);
  bound = map_apart(4, PRIVATE);
  victim_fill(bound, 7, 5);
  unsigned long node = 1;
  MUST(syscall(SYS_mbind, bound, 4 * PAGE_BYTES, 2 | MPOL_F_STATIC_NODES, &node, 64, 0) == 0);
  MUST(syscall(SYS_set_mempolicy, 3, &node, 64) == 0);
  MUST(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
  named = map_apart(2, PRIVATE);
  memset(named, 1, PAGE_BYTES);
  prctl(0x53564d41, 0, named, 2 * PAGE_BYTES, "a name"); // A kernel without CONFIG_ANON_VMA_NAME has none to show.
}

static void set_up_layout(void) {
  grows = mmap(map(64, PROT_NONE, PRIVATE, -1) + 48 * PAGE_BYTES, 4 * PAGE_BYTES, RW, PRIVATE | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
  MUST(grows != MAP_FAILED);
  MUST(munmap(grows - 48 * PAGE_BYTES, 48 * PAGE_BYTES) == 0);
  for (uint64_t i = 0; i < 4; i++) victim_fill(grows + i * PAGE_BYTES, i, 6);
  grows_lower = mmap(map(32, PROT_NONE, PRIVATE, -1) + 16 * PAGE_BYTES, 2 * PAGE_BYTES, RW, PRIVATE | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
  MUST(grows_lower != MAP_FAILED);
  // Touches the one above it, and is another mapping.
  MUST(mmap(grows_lower + 2 * PAGE_BYTES, 2 * PAGE_BYTES, PROT_READ, PRIVATE | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == grows_lower + 2 * PAGE_BYTES);
  victim_fill(grows_lower + PAGE_BYTES, 9, 6);
  large = map((10UL << 30) / PAGE_BYTES, RW, PRIVATE | MAP_NORESERVE, -1);
  victim_fill(large + (3UL << 30), 10, 6);
  victim_fill(large + (9UL << 30), 11, 6);
  reserved = map((64UL << 30) / PAGE_BYTES, PROT_NONE, PRIVATE | MAP_NORESERVE, -1);
  MUST(mprotect(reserved + (33UL << 30), PAGE_BYTES, RW) == 0);
  victim_fill(reserved + (33UL << 30), 12, 6);
  many = map(2 * MANY, PROT_NONE, PRIVATE, -1);
  MUST(munmap(many, 2 * MANY * PAGE_BYTES) == 0);
  for (uint64_t i = 0; i < MANY; i++) {
    MUST(mmap(many + 2 * i * PAGE_BYTES, PAGE_BYTES, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
    *(uint64_t *)(many + 2 * i * PAGE_BYTES) = i * 77;
  }
  int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  inner = map(4 * INNER, PROT_NONE, PRIVATE | MAP_NORESERVE, -1);
  for (uint64_t i = 0; i < INNER; i++) {
    char *at = inner + (4 * i + 1) * PAGE_BYTES;
    MUST(mmap(at, PAGE_BYTES, RW, (i % 2 ? MAP_PRIVATE : PRIVATE) | MAP_FIXED, i % 2 ? own : -1, 0) == at);
    if (i % 3) *(uint64_t *)at = i * 99;
  }
  close(own);
}

static void set_up_files(void) {
  protected = map(6, RW, PRIVATE, -1);
  for (uint64_t i = 0; i < 6; i++) victim_fill(protected + i * PAGE_BYTES, i, 7);
  MUST(mprotect(protected, PAGE_BYTES, PROT_NONE) == 0 && mprotect(protected + 2 * PAGE_BYTES, PAGE_BYTES, PROT_READ) == 0 && mprotect(protected + 4 * PAGE_BYTES, PAGE_BYTES, PROT_READ | PROT_EXEC) == 0);
  char *path = victim_path("data");
  data_file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  MUST(data_file >= 0 && ftruncate(data_file, 4 * (off_t)PAGE_BYTES) == 0);
  file_shared = map(4, RW, MAP_SHARED, data_file);
  MUST(mprotect(file_shared + 2 * PAGE_BYTES, 2 * PAGE_BYTES, PROT_READ) == 0);
  victim_fill(file_shared, 1, 8);
}

static void check_files(void) {
  static const bool reads[] = {false, true, true, true, true, true}, writes[] = {false, true, false, true, false, true};
  for (int i = 0; i < 6; i++) {
    EXPECT(victim_faults(protected + i * (long)PAGE_BYTES, false) == !reads[i], "page %d of the protected mapping can%s be read", i, reads[i] ? "not" : "");
    EXPECT(victim_faults(protected + i * (long)PAGE_BYTES, true) == !writes[i], "page %d of the protected mapping can%s be written", i, writes[i] ? "not" : "");
  }
  MUST(mprotect(protected, 6 * PAGE_BYTES, PROT_READ) == 0);
  for (uint64_t i = 0; i < 6; i++) EXPECT(victim_check(protected + i * PAGE_BYTES, i, 7), "page %lu of the protected mapping changed", i);
  EXPECT(!victim_faults(file_shared, true) && victim_faults(file_shared + 2 * PAGE_BYTES, true), "the protection of the file mapping changed");
  EXPECT(mprotect(file_shared + 2 * PAGE_BYTES, 2 * PAGE_BYTES, RW) == 0, "the file mapping cannot be made writable: %s", strerror(errno));
  struct stat before, after;
  MUST(fstat(data_file, &before) == 0);
  victim_sleep_millis(20);
  victim_fill(file_shared + PAGE_BYTES, 2, 9);
  victim_fill(file_shared + 3 * PAGE_BYTES, 4, 9);
  MUST(msync(file_shared, 4 * PAGE_BYTES, MS_SYNC) == 0 && fstat(data_file, &after) == 0);
  EXPECT(before.st_mtim.tv_sec != after.st_mtim.tv_sec || before.st_mtim.tv_nsec != after.st_mtim.tv_nsec, "writing through the mapping did not move the file's time");
  char page[PAGE_BYTES];
  EXPECT(pread(data_file, page, sizeof page, 3 * (off_t)PAGE_BYTES) == (ssize_t)sizeof page && victim_check(page, 4, 9), "what was written through the mapping is not in the file");
  EXPECT(victim_check(file_shared, 1, 8), "the file mapping changed");
}

static void check_policies(void) {
  int mode = -1;
  unsigned long nodes[16] = {0};
  EXPECT(syscall(SYS_get_mempolicy, &mode, nodes, 1024, bound, 2) == 0 && mode == (2 | MPOL_F_STATIC_NODES) && nodes[0] == 1, "the mapping's memory policy is %#x of %#lx", mode, nodes[0]);
  EXPECT(syscall(SYS_get_mempolicy, &mode, nodes, 1024, 0, 0) == 0 && mode == 3 && nodes[0] == 1, "the thread's memory policy is %#x of %#lx", mode, nodes[0]);
  EXPECT(syscall(SYS_get_mempolicy, &mode, nodes, 1024, locked, 2) == 0 && mode == 0, "a mapping without a memory policy has %#x", mode);
}

static void check_parent(void) {
  check_guards("parent");
  for (int i = 0; i < ADVICES; i++) EXPECT(victim_check(advised[i] + PAGE_BYTES, (uint64_t)i, 3), "advised mapping %d changed", i);
  for (uint64_t i = 0; i < 3; i++) EXPECT(victim_check(sealed + i * PAGE_BYTES, i, 4), "page %lu of the sealed mapping changed", i);
  EXPECT(mprotect(sealed, PAGE_BYTES, RW) == -1 && errno == EPERM && munmap(sealed, PAGE_BYTES) == -1, "the sealed mapping could be changed");
  for (size_t i = 1; i < 4 * PAGE_BYTES; i++) EXPECT(droppable[i] == droppable[0] && (droppable[0] == 7 || droppable[0] == 0), "droppable memory has %d at %zu", droppable[i], i);
  for (size_t i = 0; i < 4 * PAGE_BYTES; i++) EXPECT(wiped[i] == 8, "memory that is wiped on fork has %d at %zu", wiped[i], i);
  EXPECT(victim_check(locked + PAGE_BYTES, 5, 5) && victim_check(locked_on_fault, 6, 5) && victim_check(bound, 7, 5), "a locked or bound mapping changed");
  EXPECT(victim_check(large + (3UL << 30), 10, 6) && victim_check(large + (9UL << 30), 11, 6), "the large mapping changed");
  EXPECT(large[5UL << 30] == 0, "the large mapping is not empty in the middle");
  EXPECT(victim_check(reserved + (33UL << 30), 12, 6) && victim_faults(reserved + (34UL << 30), false), "the reservation changed");
  for (uint64_t i = 0; i < MANY; i++) EXPECT(*(uint64_t *)(many + 2 * i * PAGE_BYTES) == i * 77, "small mapping %lu changed", i);
  for (uint64_t i = 0; i < INNER; i++) {
    uint64_t value = *(uint64_t *)(inner + (4 * i + 1) * PAGE_BYTES);
    EXPECT(value == (i % 3 ? i * 99 : i % 2 ? 0x00010102464c457fUL : 0), "inner mapping %lu has %#lx", i, value);
  }
  EXPECT(victim_check(grows_lower + PAGE_BYTES, 9, 6), "the lower of two growing mappings changed");
  for (uint64_t i = 0; i < 4; i++) EXPECT(victim_check(grows + i * PAGE_BYTES, i, 6), "page %lu of the growing mapping changed", i);
  EXPECT(!victim_faults(grows - PAGE_BYTES + 8, true) && !victim_faults(grows - 5 * PAGE_BYTES + 8, true), "the growing mapping does not grow");
  EXPECT(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "PR_GET_THP_DISABLE is %d", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  check_policies();
  check_files();
}

static void run_child(void) {
  victim_remember_mappings();
  while (!victim_should_stop()) victim_sleep_millis(5);
  victim_expect_same_mappings();
  check_guards("child");
  for (size_t i = 0; i < 4 * PAGE_BYTES; i++) EXPECT(droppable[i] == 0 && wiped[i] == 0, "droppable or wiped memory of the child has %d and %d at %zu", droppable[i], wiped[i], i);
  EXPECT(victim_check(large + (3UL << 30), 10, 6), "the large mapping of the child changed");
  _exit(0);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  bool all_locked = argc > 2 && strcmp(argv[2], "locked") == 0;
  set_up_guards();
  set_up_advice();
  set_up_files();
  set_up_layout();
  MUST(chmod(victim_path(""), 0777) == 0);
  if (argc > 2 && strcmp(argv[2], "user") == 0) MUST(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
  if (all_locked) MUST(mlockall(MCL_FUTURE | MCL_ONFAULT) == 0);
  pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) run_child();
  victim_remember_mappings();
  victim_ready();
  uint64_t turn = 0;
  while (!victim_should_stop()) {
    *(volatile uint64_t *)(many + 2 * (turn++ % MANY) * PAGE_BYTES) += 0;
    victim_sleep_millis(1);
  }
  victim_expect_same_mappings();
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  check_parent();
  if (all_locked) {
    victim_remember_mappings();
    map_apart(2, PRIVATE);
    FILE *smaps = fopen("/proc/self/smaps", "r");
    int count = 0;
    for (char line[8192]; fgets(line, sizeof line, smaps) != NULL;) count += strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " lf") != NULL;
    fclose(smaps);
    EXPECT(count >= 3, "%d mappings are locked on fault: mlockall's MCL_FUTURE is lost", count);
  }
  victim_end();
}
