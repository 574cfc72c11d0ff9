// Break, stack, arguments, environment, auxiliary vector, link to the executable, vdso and personal names, before and after.
#include "victim.h"

#include <sys/auxv.h>
#include <sys/prctl.h>

static char *slurp(const char *path, size_t *length) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  char *bytes = calloc(1, 65536);
  *length = 0;
  ssize_t got;
  while (fd >= 0 && (got = read(fd, bytes + *length, 65535 - *length)) > 0) *length += (size_t)got;
  if (fd >= 0) close(fd);
  return bytes;
}

static int deep(int depth, volatile int *canary) {
  volatile char frame[8192];
  for (size_t i = 0; i < sizeof frame; i += 512) frame[i] = (char)depth;
  int below = 0;
  if (depth > 0) {
    below = deep(depth - 1, canary);
  } else {
    victim_ready();
    while (!victim_should_stop()) {
      victim_sleep_millis(3);
      struct timespec now;
      // Through the vdso: it has to be at its place and belong to this kernel.
      EXPECT(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec > 0, "clock_gettime failed");
    }
  }
  for (size_t i = 0; i < sizeof frame; i += 512) EXPECT(frame[i] == (char)depth, "the stack changed at depth %d", depth);
  *canary += 1;
  return below + 1;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  static const char *const files[] = {"/proc/self/cmdline", "/proc/self/environ", "/proc/self/auxv", "/proc/self/comm", "/proc/self/coredump_filter", "/proc/self/personality"};
  enum { FILES = 6 };
  char *before[FILES];
  size_t before_length[FILES];
  setenv("PAGELIFT_VICTIM", "set later", 1);
  MUST(prctl(PR_SET_NAME, "odd ) name") == 0);
  char *heap = sbrk(0);
  MUST(sbrk(64 * (intptr_t)PAGE_BYTES) == heap);
  for (uint64_t i = 0; i < 32; i++) victim_fill((char *)(((uintptr_t)heap + 4095) & ~4095UL) + i * PAGE_BYTES, i, 9);
  char exe_before[4096] = "", exe_after[4096] = "";
  MUST(readlink("/proc/self/exe", exe_before, sizeof exe_before - 1) > 0);
  uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
  for (int i = 0; i < FILES; i++) before[i] = slurp(files[i], &before_length[i]);
  char *heap_end = sbrk(0);
  volatile int canary = 0;
  int depth = deep(60, &canary);
  EXPECT(sbrk(0) == heap_end, "the break moved from %p to %p", (void *)heap_end, sbrk(0));
  EXPECT(sbrk(16 * (intptr_t)PAGE_BYTES) == heap_end, "the break cannot grow: %s", strerror(errno));
  memset(heap_end, 1, 16 * PAGE_BYTES);
  EXPECT(depth == 61 && canary == 61, "the stack returned to %d frames", depth);
  for (int i = 0; i < FILES; i++) {
    size_t length;
    char *now = slurp(files[i], &length);
    EXPECT(length == before_length[i] && memcmp(now, before[i], length) == 0, "%s changed from %zu to %zu bytes", files[i], before_length[i], length);
  }
  EXPECT(readlink("/proc/self/exe", exe_after, sizeof exe_after - 1) > 0 && strcmp(exe_before, exe_after) == 0, "the executable is %s and was %s", exe_after, exe_before);
  EXPECT(getauxval(AT_SYSINFO_EHDR) == vdso && memcmp((void *)vdso, "\177ELF", 4) == 0, "the vdso moved");
  EXPECT(strcmp(getenv("PAGELIFT_VICTIM"), "set later") == 0 && strcmp(argv[0] + strlen(argv[0]) - 6, "layout") == 0, "argument or environment changed");
  for (uint64_t i = 0; i < 32; i++) EXPECT(victim_check((char *)(((uintptr_t)heap + 4095) & ~4095UL) + i * PAGE_BYTES, i, 9), "heap page %lu is wrong", i);
  victim_end();
}
