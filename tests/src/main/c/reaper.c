// Runs a command as init would want it: processes that lose their parent below come to this one and are reaped at once. In a
// container the process with pid 1 often reaps nothing, and the pid of a dumped process would stay taken by its zombie.
// usage: reaper COMMAND [ARGUMENTS]; ends with the command's exit code.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s COMMAND [ARGUMENTS]\n", argv[0]);
    return 2;
  }
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    perror("reaper: PR_SET_CHILD_SUBREAPER");
    return 1;
  }
  // The command gets what the terminal sends; this process ends after it, with its code.
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  pid_t command = fork();
  if (command < 0) {
    perror("reaper: fork");
    return 1;
  }
  if (command == 0) {
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, 0);
    if (ended == command) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ended < 0 && errno != EINTR) {
      perror("reaper: waitpid");
      return 1;
    }
  }
}
