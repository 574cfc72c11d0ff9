// Two threads spin with a known value in every register that a program can use, each with its own values.
#include "victim.h"

#include <stddef.h>

struct registers {
  uint64_t general[15];  // rax rbx rcx rdx rsi rdi rbp r8..r15
  uint64_t flags;
  uint32_t mxcsr;
  uint16_t x87_control;
  uint16_t padding;
  double x87[8];
  uint8_t gap[56];
  uint8_t vector[32][64];
  uint64_t mask[8];
};
_Static_assert(offsetof(struct registers, flags) == 120 && offsetof(struct registers, mxcsr) == 128, "registers_spin.S");
_Static_assert(offsetof(struct registers, x87) == 136 && offsetof(struct registers, vector) == 256, "registers_spin.S");
_Static_assert(offsetof(struct registers, mask) == 2304, "registers_spin.S");

volatile uint32_t registers_stop;
void registers_spin(const struct registers *in, struct registers *out, int level);

static int level;
static _Atomic uint64_t spinning;
static const char *const names[15] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

static void *run(void *argument) {
  uint64_t random = (uint64_t)(intptr_t)argument;
  static __thread struct registers in, out;
  for (int i = 0; i < 15; i++) in.general[i] = victim_random(&random);
  in.flags = 0x202 | 0x1 | 0x4 | 0x40 | (random % 2 ? 0x800 : 0x80);  // IF and some of CF PF ZF SF OF
  in.mxcsr = 0x1f80 | 0x6000;                                         // round to zero
  in.x87_control = 0x0f7f;                                            // round to zero
  for (int i = 0; i < 8; i++) in.x87[i] = 1.5 * (double)(random % 1000) + i;
  for (int i = 0; i < 32; i++) {
    for (int j = 0; j < 64; j++) in.vector[i][j] = (uint8_t)victim_random(&random);
  }
  for (int i = 0; i < 8; i++) in.mask[i] = victim_random(&random) & 0xffff;
  atomic_fetch_add(&spinning, 1);
  registers_spin(&in, &out, level);
  for (int i = 0; i < 15; i++) {
    if (i != 2) EXPECT(in.general[i] == out.general[i], "%s is %#lx, not %#lx", names[i], out.general[i], in.general[i]);
  }
  EXPECT((in.flags & 0xcd5) == (out.flags & 0xcd5), "flags are %#lx, not %#lx", out.flags, in.flags);
  EXPECT(in.mxcsr == (out.mxcsr & ~0x3fu), "mxcsr is %#x, not %#x", out.mxcsr, in.mxcsr);
  EXPECT(in.x87_control == out.x87_control, "the x87 control word is %#x, not %#x", out.x87_control, in.x87_control);
  for (int i = 0; i < 8; i++) EXPECT(in.x87[i] == out.x87[i], "st%d is %f, not %f", i, out.x87[i], in.x87[i]);
  int vectors = level == 2 ? 32 : 16;
  size_t bytes = level == 2 ? 64 : level == 1 ? 32 : 16;
  for (int i = 0; i < vectors; i++) EXPECT(memcmp(in.vector[i], out.vector[i], bytes) == 0, "vector register %d changed", i);
  for (int i = 0; level == 2 && i < 8; i++) EXPECT(in.mask[i] == out.mask[i], "mask register k%d changed", i);
  return NULL;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  level = __builtin_cpu_supports("avx512f") ? 2 : __builtin_cpu_supports("avx2") ? 1 : 0;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) MUST(pthread_create(&threads[i], NULL, run, (void *)(intptr_t)(i + 77)) == 0);
  MUST(victim_await_above(&spinning, 1));
  victim_sleep_millis(20);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(5);
  registers_stop = 1;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  victim_end();
}
