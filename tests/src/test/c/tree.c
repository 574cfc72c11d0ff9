// A tree: children in the same group, in a group of their own, in a session of their own, a grandchild, a child in a session whose
// leader's parent is gone, and zombies that nobody has waited for.
#include "victim.h"

enum { CHILDREN = 4 };

struct identity {
  pid_t pid, parent, group, session;
};

static struct identity identity(void) {
  struct identity now = {getpid(), getppid(), getpgid(0), getsid(0)};
  return now;
}

static void expect_same(const char *who, struct identity before) {
  struct identity now = identity();
  EXPECT(now.pid == before.pid, "%s had pid %d and has %d", who, before.pid, now.pid);
  EXPECT(now.parent == before.parent, "%s had parent %d and has %d", who, before.parent, now.parent);
  EXPECT(now.group == before.group, "%s had process group %d and has %d", who, before.group, now.group);
  EXPECT(now.session == before.session, "%s had session %d and has %d", who, before.session, now.session);
}

static void wait_for_stop(const char *who, int ready_fd) {
  struct identity before = identity();
  MUST(write(ready_fd, "x", 1) == 1);
  while (!victim_should_stop()) victim_sleep_millis(4);
  expect_same(who, before);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  int ready[2];
  MUST(pipe2(ready, O_CLOEXEC) == 0);
  pid_t children[CHILDREN];
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    MUST(children[i] >= 0);
    if (children[i] != 0) continue;
    if (i == 1) MUST(setpgid(0, 0) == 0);
    if (i == 2) MUST(setsid() > 0);
    pid_t grandchild = 0;
    if (i >= 2) {
      grandchild = fork();
      MUST(grandchild >= 0);
      if (grandchild == 0) {
        if (i == 2) MUST(setpgid(0, 0) == 0);
        wait_for_stop("a grandchild", ready[1]);
        _exit(60 + i);
      }
    }
    wait_for_stop("a child", ready[1]);
    if (grandchild > 0) {
      int status = 0;
      EXPECT(waitpid(grandchild, &status, 0) == grandchild && WIFEXITED(status) && WEXITSTATUS(status) == 60 + i, "grandchild %d ended with status %#x", i, status);
    }
    _exit(40 + i);
  }
  pid_t exited = fork();
  if (exited == 0) _exit(7);
  pid_t killed = fork();
  if (killed == 0) {
    raise(SIGKILL);
    _exit(1);
  }
  siginfo_t info;
  MUST(waitid(P_PID, (id_t)exited, &info, WEXITED | WNOWAIT) == 0 && waitid(P_PID, (id_t)killed, &info, WEXITED | WNOWAIT) == 0);
  char bytes[16];
  for (int got = 0; got < CHILDREN + 2;) {
    ssize_t length = read(ready[0], bytes, sizeof bytes);
    MUST(length > 0);
    got += (int)length;
  }
  struct identity before = identity();
  // The parent is outside the tree; it may be another one at the destination.
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(4);
  before.parent = getppid();
  expect_same("the root", before);
  int status = 0;
  EXPECT(waitpid(exited, &status, WNOHANG) == exited && WIFEXITED(status) && WEXITSTATUS(status) == 7, "the zombie with exit code 7 gave status %#x", status);
  status = 0;
  EXPECT(waitpid(killed, &status, WNOHANG) == killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the killed zombie gave status %#x", status);
  for (int i = 0; i < CHILDREN; i++) {
    status = 0;
    EXPECT(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) && WEXITSTATUS(status) == 40 + i, "child %d ended with status %#x", i, status);
  }
  EXPECT(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD, "there are children that nobody started");
  victim_end();
}
