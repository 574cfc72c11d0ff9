/* A target for injected calls that checks itself. usage: injected MODE [storm|seccomp]
 *
 * State, at a fixed address so that assembly can name it: rounds done, what went wrong (0: nothing), signals received.
 * The tracer reads it there. Modes: spin (all registers, flags, vectors, red zone hold canaries), nanosleep, futex, poll, read,
 * threads (short-lived ones all the time), rseq (always in a restartable sequence).
 * With "storm" a child queues numbered real-time signals all the time; none may be lost or doubled.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct state {
  volatile uint64_t rounds;
  volatile uint64_t wrong;
  volatile uint64_t signals;
  volatile uint64_t saved_rsp;
  volatile uint64_t scratch[16];
};
#define STATE ((struct state *)0x10000000)

static void wrong(uint64_t what) { STATE->wrong = what; }

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  static volatile uint64_t expected;
  if ((uint64_t)info->si_value.sival_int != expected) wrong(1000000 + info->si_value.sival_int);
  expected++;
  STATE->signals = expected;
}

/* Nobody sends these: with a handler for them, the tracer must not use them either. */
static void on_unexpected(int number) { wrong(2000000 + number); }

void spin(void);
__asm__(
    ".globl spin\n"
    "spin:\n"
    "  push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "  mov %rsp, 0x10000018\n"
    "  movq $0x5ed5ed01, -8(%rsp)\n"
    "  movq $0x5ed5ed02, -128(%rsp)\n"
    "  mov $0x1111111111111101, %rax\n movq %rax, %xmm0\n movq %rax, %xmm15\n"
    "  mov $0x1111111111111102, %rbx\n"
    "  mov $0x1111111111111103, %rcx\n"
    "  mov $0x1111111111111104, %rdx\n"
    "  mov $0x1111111111111105, %rsi\n"
    "  mov $0x1111111111111106, %rdi\n"
    "  mov $0x1111111111111107, %rbp\n"
    "  mov $0x1111111111111108, %r8\n"
    "  mov $0x1111111111111109, %r9\n"
    "  mov $0x111111111111110a, %r10\n"
    "  mov $0x111111111111110b, %r11\n"
    "  mov $0x111111111111110c, %r12\n"
    "  mov $0x111111111111110d, %r13\n"
    "  mov $0x111111111111110e, %r14\n"
    "  mov $0x111111111111110f, %r15\n"
    "1:\n"
    "  movb $0x80, 0x10000040\n"
    "  cmpb $1, 0x10000040\n" /* overflow set, carry clear, auxiliary set */
    "  pause\n pause\n pause\n pause\n pause\n pause\n pause\n pause\n"
    "  pause\n pause\n pause\n pause\n pause\n pause\n pause\n pause\n"
    "  jno 101f\n jc 101f\n js 101f\n"
    "  stc\n"
    "  pause\n pause\n pause\n pause\n pause\n pause\n pause\n pause\n"
    "  jnc 102f\n"
    "  cmp 201f(%rip), %rax\n jne 103f\n"
    "  cmp 202f(%rip), %rbx\n jne 103f\n"
    "  cmp 203f(%rip), %rcx\n jne 103f\n"
    "  cmp 204f(%rip), %rdx\n jne 103f\n"
    "  cmp 205f(%rip), %rsi\n jne 103f\n"
    "  cmp 206f(%rip), %rdi\n jne 103f\n"
    "  cmp 207f(%rip), %rbp\n jne 103f\n"
    "  cmp 208f(%rip), %r8\n jne 103f\n"
    "  cmp 209f(%rip), %r9\n jne 103f\n"
    "  cmp 210f(%rip), %r10\n jne 103f\n"
    "  cmp 211f(%rip), %r11\n jne 103f\n"
    "  cmp 212f(%rip), %r12\n jne 103f\n"
    "  cmp 213f(%rip), %r13\n jne 103f\n"
    "  cmp 214f(%rip), %r14\n jne 103f\n"
    "  cmp 215f(%rip), %r15\n jne 103f\n"
    "  cmp 0x10000018, %rsp\n jne 104f\n"
    "  cmpq $0x5ed5ed01, -8(%rsp)\n jne 105f\n"
    "  cmpq $0x5ed5ed02, -128(%rsp)\n jne 105f\n"
    "  movq %xmm0, 0x10000048\n"
    "  movq %xmm15, 0x10000050\n"
    "  cmp %rax, 0x10000048\n jne 106f\n"
    "  cmp %rax, 0x10000050\n jne 106f\n"
    "  incq 0x10000000\n"
    "  jmp 1b\n"
    "101: movq $101, 0x10000008\n jmp 1b\n"
    "102: movq $102, 0x10000008\n jmp 1b\n"
    "103: movq $103, 0x10000008\n jmp 1b\n"
    "104: movq $104, 0x10000008\n jmp 1b\n"
    "105: movq $105, 0x10000008\n jmp 1b\n"
    "106: movq $106, 0x10000008\n jmp 1b\n"
    "201: .quad 0x1111111111111101\n"
    "202: .quad 0x1111111111111102\n"
    "203: .quad 0x1111111111111103\n"
    "204: .quad 0x1111111111111104\n"
    "205: .quad 0x1111111111111105\n"
    "206: .quad 0x1111111111111106\n"
    "207: .quad 0x1111111111111107\n"
    "208: .quad 0x1111111111111108\n"
    "209: .quad 0x1111111111111109\n"
    "210: .quad 0x111111111111110a\n"
    "211: .quad 0x111111111111110b\n"
    "212: .quad 0x111111111111110c\n"
    "213: .quad 0x111111111111110d\n"
    "214: .quad 0x111111111111110e\n"
    "215: .quad 0x111111111111110f\n");

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int storming;
static const struct timespec nap = {0, 20 * 1000 * 1000};

/* Under a storm every call may come back early with EINTR; without one, none may. */
static void check(int64_t started, int result, int error, int code) {
  int64_t took = now() - started;
  if (result == -1 && error == EINTR) {
    if (!storming) wrong(code + 1);
  } else if (took < 20 * 1000 * 1000) {
    wrong(code + 2);
  }
  STATE->rounds++;
}

static void *short_life(void *argument) { return argument; }

/* Threads come and go all the time. */
static void churn(void) {
  for (;;) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
      if (pthread_create(&threads[i], NULL, short_life, NULL) != 0) wrong(601);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    STATE->rounds++;
  }
}

/* Kills the process for a call that only a tracer makes in it. */
static void restrict_calls(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog filter = {sizeof code / sizeof code[0], code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) exit(6);
}

/* A restartable sequence that reads a word twice, with a pause between. Whatever happens to the thread in that time must take it
 * back to the start: then both reads are equal although the tracer changes the word whenever it has stopped the thread. */
static void restart(void) {
  struct {
    uint32_t cpu_id_start, cpu_id;
    uint64_t rseq_cs;
  } *area = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
  if (__rseq_size == 0) wrong(701);
  for (;;) {
    uint64_t first, second;
    __asm__ volatile(
        ".pushsection __rseq_cs, \"aw\"\n"
        ".balign 32\n"
        "3: .long 0, 0\n"
        ".quad 1f, (2f - 1f), 4f\n"
        ".popsection\n"
        "5:\n"
        "lea 3b(%%rip), %%rax\n"
        "mov %%rax, 8(%[area])\n"
        "1:\n"
        "mov 0x10000058, %[first]\n"
        "mov $2000, %%ecx\n"
        "6: pause\n"
        "dec %%ecx\n"
        "jnz 6b\n"
        "mov 0x10000058, %[second]\n"
        "2:\n"
        ".pushsection __rseq_abort, \"ax\"\n"
        ".byte 0x0f, 0xb9, 0x3d\n"
        ".long 0x53053053\n"
        "4: jmp 5b\n"
        ".popsection\n"
        : [first] "=&r"(first), [second] "=&r"(second)
        : [area] "r"(area)
        : "rax", "rcx", "memory", "cc");
    if (first != second) wrong(702);
    STATE->rounds++;
  }
}

static int pipe_ends[2];

static void *feed(void *argument) {
  (void)argument;
  for (uint64_t n = 0;; n++) {
    struct timespec t = {0, 5 * 1000 * 1000};
    while (nanosleep(&t, &t) == -1) {
    }
    if (write(pipe_ends[1], &n, sizeof n) != sizeof n) wrong(501);
  }
  return NULL;
}

static void storm(void) {
  union sigval value = {0};
  pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct timespec t = {0, 50 * 1000};
  for (;;) {
    if (sigqueue(parent, SIGRTMIN, value) == 0) {
      value.sival_int++;
    } else if (errno != EAGAIN) {
      _exit(0);
    }
    nanosleep(&t, NULL);
  }
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  if (mmap(STATE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != STATE) return 3;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const char *mode = arguments[1];
  storming = count > 2 && strcmp(arguments[2], "storm") == 0;
  if (count > 2 && strcmp(arguments[2], "seccomp") == 0) restrict_calls();
  if (storming) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &action, NULL);
    signal(SIGURG, on_unexpected);
    signal(SIGWINCH, on_unexpected);
    if (fork() == 0) storm();
  }
  if (strcmp(mode, "spin") == 0) {
    spin();
  } else if (strcmp(mode, "rseq") == 0) {
    restart();
  } else if (strcmp(mode, "threads") == 0) {
    churn();
  } else if (strcmp(mode, "read") == 0) {
    pthread_t feeder;
    sigset_t all, old;
    sigfillset(&all);
    /* Signals go to one thread only: two could handle them in another order than sent. */
    pthread_sigmask(SIG_BLOCK, &all, &old);
    if (pipe(pipe_ends) != 0 || pthread_create(&feeder, NULL, feed, NULL) != 0) return 4;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    for (uint64_t expected = 0;;) {
      uint64_t got;
      ssize_t n = read(pipe_ends[0], &got, sizeof got);
      if (n == -1 && errno == EINTR && storming) continue;
      if (n != sizeof got || got != expected) wrong(511);
      expected++;
      STATE->rounds++;
    }
  }
  int word = 7;
  for (;;) {
    int64_t started = now();
    if (strcmp(mode, "nanosleep") == 0) {
      int result = nanosleep(&nap, NULL);
      check(started, result, errno, 520);
    } else if (strcmp(mode, "futex") == 0) {
      int result = syscall(SYS_futex, &word, FUTEX_WAIT, 7, &nap, NULL, 0);
      if (result == -1 && errno != ETIMEDOUT && errno != EINTR) wrong(531);
      check(started, result, errno, 532);
    } else if (strcmp(mode, "poll") == 0) {
      int result = poll(NULL, 0, 20);
      check(started, result, errno, 540);
    } else {
      return 5;
    }
  }
}
