// How long a plain C program needs to read files into fresh memory: the measure for a restore.
// usage: fill FILE...; prints "<bytes> <nanoseconds>".
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv) {
  uint64_t begin = nanos();
  uint64_t bytes = 0;
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
      perror(argv[i]);
      return 1;
    }
    if (info.st_size == 0) continue;
    char *memory = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      perror("mmap");
      return 1;
    }
    for (off_t done = 0; done < info.st_size;) {
      ssize_t part = pread(fd, memory + done, 1 << 20, done);
      if (part <= 0) {
        perror(argv[i]);
        return 1;
      }
      done += part;
    }
    bytes += (uint64_t)info.st_size;
  }
  printf("%lu %lu\n", bytes, nanos() - begin);
  return 0;
}
