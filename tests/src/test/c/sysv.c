// System V shared memory: attached by parent and child, read-only, twice, in parts, marked for removal, and not attached at all.
#include "victim.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define ODD_BYTES (5 * PAGE_BYTES + 100)
#define RW (PROT_READ | PROT_WRITE)

enum { WRITTEN, REMOVED, READ_ONLY, DETACHED, TWICE, SEGMENTS };
static const char *const names[] = {"written by both", "marked for removal", "attached read-only", "attached nowhere", "attached twice"};
static int ids[SEGMENTS];
static struct shmid_ds before[SEGMENTS];
static char *written, *removed, *read_only, *twice[2];

struct counts {
  _Atomic uint64_t of[2];
};

static char *attach(int segment, int flags) {
  char *at = shmat(ids[segment], NULL, flags);
  MUST(at != (void *)-1);
  return at;
}

static void set_up(void) {
  key_t key = 0x50100000 + getpid();
  ids[WRITTEN] = shmget(key, ODD_BYTES, IPC_CREAT | IPC_EXCL | 0640);
  for (int i = REMOVED; i < SEGMENTS; i++) ids[i] = shmget(IPC_PRIVATE, (size_t)(i + 6) * PAGE_BYTES, IPC_CREAT | 0600);
  for (int i = 0; i < SEGMENTS; i++) MUST(ids[i] >= 0);
  struct shmid_ds owner;
  MUST(shmctl(ids[WRITTEN], IPC_STAT, &owner) == 0);
  owner.shm_perm.uid = 65534;
  owner.shm_perm.gid = 65533;
  owner.shm_perm.mode = 0604;
  MUST(shmctl(ids[WRITTEN], IPC_SET, &owner) == 0);
  written = attach(WRITTEN, 0);
  removed = attach(REMOVED, 0);
  MUST(shmctl(ids[REMOVED], IPC_RMID, NULL) == 0);
  char *fill = attach(READ_ONLY, 0);
  victim_fill(fill + 3 * PAGE_BYTES, 1, 1);
  MUST(shmdt(fill) == 0);
  read_only = attach(READ_ONLY, SHM_RDONLY);
  fill = attach(DETACHED, 0);
  victim_fill(fill + 4 * PAGE_BYTES, 2, 1);
  MUST(shmdt(fill) == 0);
  twice[0] = attach(TWICE, 0);
  twice[1] = attach(TWICE, 0);
  victim_fill(twice[0] + 5 * PAGE_BYTES, 3, 1);
  // Parts: the first page protected, a hole with something else in it, two pages elsewhere.
  for (uint64_t i = 0; i < 7; i++) victim_fill(removed + i * PAGE_BYTES, i, 2);
  MUST(mprotect(removed, PAGE_BYTES, PROT_READ) == 0);
  MUST(munmap(removed + 2 * PAGE_BYTES, PAGE_BYTES) == 0);
  MUST(mmap(removed + 2 * PAGE_BYTES, PAGE_BYTES, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == removed + 2 * PAGE_BYTES);
  victim_fill(removed + 2 * PAGE_BYTES, 50, 2);
  char *room = mmap(NULL, 4 * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *moved = mremap(removed + 5 * PAGE_BYTES, 2 * PAGE_BYTES, 2 * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE_BYTES);
  MUST(moved == room + PAGE_BYTES);
}

static void check_kept(void) {
  for (int i = 0; i < SEGMENTS; i++) {
    struct shmid_ds now;
    if (shmctl(ids[i], IPC_STAT, &now) != 0) {
      victim_fail("%s: segment %d is gone: %s", names[i], ids[i], strerror(errno));
      continue;
    }
    EXPECT(now.shm_perm.__key == before[i].shm_perm.__key && now.shm_segsz == before[i].shm_segsz, "%s: key %x, size %zu", names[i], now.shm_perm.__key, now.shm_segsz);
    EXPECT(now.shm_perm.mode == before[i].shm_perm.mode, "%s: mode %o, was %o", names[i], now.shm_perm.mode, before[i].shm_perm.mode);
    EXPECT(now.shm_perm.uid == before[i].shm_perm.uid && now.shm_perm.gid == before[i].shm_perm.gid && now.shm_perm.cuid == before[i].shm_perm.cuid && now.shm_perm.cgid == before[i].shm_perm.cgid, "%s: owner %u:%u of %u:%u", names[i], now.shm_perm.uid, now.shm_perm.gid, now.shm_perm.cuid, now.shm_perm.cgid);
    EXPECT(now.shm_nattch == before[i].shm_nattch, "%s: %lu attachments, were %lu", names[i], now.shm_nattch, before[i].shm_nattch);
  }
}

static void check_contents(void) {
  EXPECT(victim_check(read_only + 3 * PAGE_BYTES, 1, 1), "the read-only segment changed");
  EXPECT(mprotect(read_only, PAGE_BYTES, RW) == -1 && errno == EACCES, "the read-only attachment can be made writable");
  EXPECT(victim_faults(removed, true), "the protected part can be written");
  char *moved = removed + 5 * PAGE_BYTES;
  for (uint64_t i = 0; i < 5; i++) EXPECT(victim_check(removed + i * PAGE_BYTES, i == 2 ? 50 : i, 2), "page %lu of the attachment in parts changed", i);
  (void)moved;
  EXPECT(victim_check(twice[1] + 5 * PAGE_BYTES, 3, 1), "the segment that is attached twice changed");
  victim_fill(twice[1] + 6 * PAGE_BYTES, 4, 1);
  EXPECT(victim_check(twice[0] + 6 * PAGE_BYTES, 4, 1), "two attachments of one segment do not show the same");
  char *again = shmat(ids[DETACHED], NULL, 0);
  EXPECT(again != (void *)-1 && victim_check(again + 4 * PAGE_BYTES, 2, 1), "the segment that was attached nowhere changed");
  EXPECT(shmget(before[WRITTEN].shm_perm.__key, 1, 0) == ids[WRITTEN], "the key leads to another segment");
  EXPECT(shmdt(twice[0]) == 0 && shmdt(removed) == 0, "shmdt: %s", strerror(errno));
  struct shmid_ds now;
  EXPECT(shmctl(ids[TWICE], IPC_STAT, &now) == 0 && now.shm_nattch == before[TWICE].shm_nattch - 1, "shmdt did not detach");
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  set_up();
  struct counts *counts = (struct counts *)written;
  pid_t child = fork();
  MUST(child >= 0);
  int side = child == 0;
  if (child == 0) MUST(shmdt(twice[0]) == 0 && shmdt(twice[1]) == 0);
  if (child != 0) {
    while (atomic_load(&counts->of[1]) < 3) victim_sleep_millis(1);
    for (int i = 0; i < SEGMENTS; i++) MUST(shmctl(ids[i], IPC_STAT, &before[i]) == 0);
    victim_remember_mappings();
    victim_ready();
  }
  uint64_t turn = 0;
  while (!victim_should_stop()) {
    turn++;
    victim_fill(written + (2 + 2 * side) * (long)PAGE_BYTES, (uint64_t)side, turn);
    atomic_store(&counts->of[side], turn);
    // The last, partial page.
    written[ODD_BYTES - 1 - (size_t)side] = (char)turn;
    victim_sleep_millis(2);
  }
  EXPECT(victim_check(written + (2 + 2 * side) * (long)PAGE_BYTES, (uint64_t)side, turn), "side %d: what it wrote last is not there", side);
  EXPECT(written[ODD_BYTES - 1 - (size_t)side] == (char)turn, "side %d: the last byte is wrong", side);
  if (child == 0) {
    for (int i = 0; i < 400 && !victim_faults(written, false) && atomic_load(&counts->of[0]) != UINT64_MAX; i++) victim_sleep_millis(50);
    _exit(atomic_load(&counts->of[0]) == UINT64_MAX ? 0 : 1);
  }
  victim_expect_same_mappings();
  check_kept();
  check_contents();
  uint64_t last = atomic_load(&counts->of[1]);
  EXPECT(last > 3, "the child's count is %lu", last);
  atomic_store(&counts->of[0], UINT64_MAX);
  int status = 0;
  EXPECT(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
  for (int i = 0; i < SEGMENTS; i++) {
    if (i != REMOVED) shmctl(ids[i], IPC_RMID, NULL);
  }
  victim_end();
}
