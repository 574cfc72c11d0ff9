/*
 * without CALL[,CALL...] PROGRAM [ARGUMENTS...]: runs a program as on a kernel that lacks some system calls: each gives ENOSYS.
 * A filter of seccomp(2); what the program starts inherits it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char *name;
  unsigned number;
} calls[] = {
    {"ptrace", SYS_ptrace},
    {"userfaultfd", SYS_userfaultfd},
    {"process_vm_readv", SYS_process_vm_readv},
    {"kcmp", SYS_kcmp},
    {"pidfd_open", 434},
    {"pidfd_getfd", 438},
    {"clone3", 435},
};

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: without CALL[,CALL...] PROGRAM [ARGUMENTS...]\n");
    return 2;
  }
  for (char *name = strtok(arguments[1], ","); name; name = strtok(NULL, ",")) {
    size_t i = 0;
    while (i < sizeof calls / sizeof *calls && strcmp(calls[i].name, name)) i++;
    if (i == sizeof calls / sizeof *calls) {
      fprintf(stderr, "without: no call %s\n", name);
      return 2;
    }
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
      perror("without");
      return 2;
    }
  }
  execvp(arguments[2], arguments + 2);
  perror(arguments[2]);
  return 2;
}
