#include "victim.h"

#include <setjmp.h>
#include <stdarg.h>

static char work_directory[2048];
static pid_t main_process;

void victim_begin(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s WORK_DIRECTORY [options]\n", argv[0]);
    exit(2);
  }
  snprintf(work_directory, sizeof work_directory, "%s", argv[1]);
  main_process = getpid();
}

char *victim_path(const char *name) {
  size_t length = strlen(work_directory) + strlen(name) + 2;
  char *path = malloc(length);
  snprintf(path, length, "%s/%s", work_directory, name);
  return path;
}

// Writes a file so that a reader sees nothing or all of it.
static void write_whole(const char *name, const char *text) {
  char *path = victim_path(name);
  char temporary[2200];
  snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0 || rename(temporary, path) != 0) {
    perror(path);
    _exit(3);
  }
  free(path);
}

void victim_ready(void) {
  char text[32];
  snprintf(text, sizeof text, "%d\n", (int)getpid());
  write_whole("pid", text);
}

bool victim_should_stop(void) {
  static char path[2200];
  if (path[0] == 0) snprintf(path, sizeof path, "%s/stop", work_directory);
  return access(path, F_OK) == 0;
}

void victim_fail(const char *format, ...) {
  char line[600];
  int begin = snprintf(line, sizeof line, "FAIL ");
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line + begin, sizeof line - 8, format, arguments);
  va_end(arguments);
  if (length > (int)sizeof line - 16) length = (int)sizeof line - 16;
  line[begin + length] = '\n';
  char path[2200];
  snprintf(path, sizeof path, "%s/failures", work_directory);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0 || write(fd, line, (size_t)(begin + length + 1)) < 0) _exit(3);
  close(fd);
}

void victim_die(const char *what) {
  fprintf(stderr, "victim: set-up failed: %s: %s\n", what, strerror(errno));
  _exit(3);
}

void victim_end(void) {
  char failures[2200];
  snprintf(failures, sizeof failures, "%s/failures", work_directory);
  static char text[65536];
  int fd = open(failures, O_RDONLY | O_CLOEXEC);
  ssize_t length = 0;
  if (fd >= 0) {
    length = read(fd, text, sizeof text - 1);
    close(fd);
  }
  if (length <= 0) snprintf(text, sizeof text, "PASS\n");
  write_whole("result", text);
  _exit(length > 0);
}

uint64_t victim_nanos(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

void victim_sleep_millis(long millis) {
  struct timespec left = {millis / 1000, millis % 1000 * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

bool victim_await_above(_Atomic uint64_t *counter, uint64_t value) {
  for (int i = 0; i < 4000; i++) {
    if (atomic_load(counter) > value) return true;
    victim_sleep_millis(5);
  }
  return false;
}

uint64_t victim_random(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void victim_fill(void *page, uint64_t number, uint64_t version) {
  uint64_t state = number * 0x100000001b3ULL + version;
  uint64_t *words = page;
  for (size_t i = 0; i < PAGE_BYTES / 8; i++) words[i] = victim_random(&state);
}

bool victim_check(const void *page, uint64_t number, uint64_t version) {
  uint64_t state = number * 0x100000001b3ULL + version;
  const uint64_t *words = page;
  for (size_t i = 0; i < PAGE_BYTES / 8; i++) {
    if (words[i] != victim_random(&state)) return false;
  }
  return true;
}

static sigjmp_buf fault_return;

static void on_fault(int signal) {
  (void)signal;
  siglongjmp(fault_return, 1);
}

bool victim_faults(volatile char *address, bool write) {
  struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER}, segv, bus;
  sigaction(SIGSEGV, &action, &segv);
  sigaction(SIGBUS, &action, &bus);
  bool faulted = sigsetjmp(fault_return, 1) != 0;
  if (!faulted) {
    char byte = *address;
    if (write) *address = byte;
  }
  sigaction(SIGSEGV, &segv, NULL);
  sigaction(SIGBUS, &bus, NULL);
  return faulted;
}

// One line "range protection offset path | flags" for each mapping: inode numbers of memory without a name may change. Without
// malloc, which could change the mappings. [vvar] and [vdso] stay out: how they are flagged is the kernel's business.
#define SMAPS_BYTES (24UL << 20)
static char *smaps_text, *smaps_before, *smaps_after;

static void mappings_into(char *lines) {
  int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  ssize_t got;
  while (fd >= 0 && (got = read(fd, smaps_text + length, SMAPS_BYTES - 1 - length)) > 0) length += (size_t)got;
  close(fd);
  smaps_text[length] = 0;
  char head[4400] = "";
  *lines = 0;
  for (char *line = smaps_text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    unsigned long start, stop, offset, inode;
    char protection[8], device[16];
    int path = 0;
    if (strncmp(line, "VmFlags:", 8) == 0) {
      bool own = head[0] == 0 || strstr(head, "[v") != NULL || strstr(head, "[stack]") != NULL || strstr(head, "[heap]") != NULL;
      if (!own) lines += sprintf(lines, "%s |%s\n", head, line + 8);
    } else if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %n", &start, &stop, protection, &offset, device, &inode, &path) >= 6) {
      snprintf(head, sizeof head, "%lx-%lx %s %lx %s", start, stop, protection, offset, line + path);
    }
  }
}

void victim_remember_mappings(void) {
  if (smaps_text == NULL) {
    char *room = mmap(NULL, 3 * SMAPS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    MUST(room != MAP_FAILED);
    smaps_text = room;
    smaps_before = room + SMAPS_BYTES;
    smaps_after = room + 2 * SMAPS_BYTES;
  }
  mappings_into(smaps_before);
}

void victim_expect_same_mappings(void) {
  mappings_into(smaps_after);
  char *before = smaps_before, *after = smaps_after;
  for (int told = 0; told < 12 && (*before != 0 || *after != 0);) {
    char *before_end = strchrnul(before, '\n'), *after_end = strchrnul(after, '\n');
    size_t before_length = (size_t)(before_end - before), after_length = (size_t)(after_end - after);
    if (before_length != after_length || memcmp(before, after, before_length) != 0) {
      told++;
      victim_fail("mapping was '%.*s' and is '%.*s'", (int)before_length, before, (int)after_length, after);
    }
    before = *before_end ? before_end + 1 : before_end;
    after = *after_end ? after_end + 1 : after_end;
  }
}
