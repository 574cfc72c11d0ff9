// Who the process is and what it may: user and group ids, groups, capabilities, limits, umask, directories, priorities, switches.
// Runs as another user when "user" is given.
#include "victim.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>

struct facts {
  uid_t uids[4];
  gid_t gids[4];
  int group_count;
  gid_t groups[64];
  uint64_t capabilities[4];  // inheritable permitted effective bounding
  struct rlimit limits[RLIM_NLIMITS];
  mode_t mask;
  char directory[1024];
  int nice, policy, cpu, timer_slack, dumpable, no_new_privs, keep_capabilities, death_signal, subreaper, oom_score;
  char comm[20];
  cpu_set_t affinity;
};

static int oom_score_adj(void) {
  char text[32] = "";
  int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) victim_fail("oom_score_adj cannot be read");
  close(fd);
  return atoi(text);
}

static void collect(struct facts *facts) {
  memset(facts, 0, sizeof *facts);
  MUST(getresuid(&facts->uids[0], &facts->uids[1], &facts->uids[2]) == 0 && getresgid(&facts->gids[0], &facts->gids[1], &facts->gids[2]) == 0);
  facts->uids[3] = (uid_t)setfsuid((uid_t)-1);
  facts->gids[3] = (gid_t)setfsgid((gid_t)-1);
  facts->group_count = getgroups(64, facts->groups);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &header, data) == 0);
  facts->capabilities[0] = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  facts->capabilities[1] = data[0].permitted | (uint64_t)data[1].permitted << 32;
  facts->capabilities[2] = data[0].effective | (uint64_t)data[1].effective << 32;
  for (int i = 0; i < 41; i++) facts->capabilities[3] |= (uint64_t)(prctl(PR_CAPBSET_READ, i) == 1) << i;
  for (int i = 0; i < RLIM_NLIMITS; i++) getrlimit(i, &facts->limits[i]);
  facts->mask = umask(0);
  umask(facts->mask);
  MUST(getcwd(facts->directory, sizeof facts->directory) != NULL);
  facts->nice = getpriority(PRIO_PROCESS, 0);
  facts->policy = sched_getscheduler(0);
  facts->timer_slack = prctl(PR_GET_TIMERSLACK);
  facts->dumpable = prctl(PR_GET_DUMPABLE);
  facts->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  facts->keep_capabilities = prctl(PR_GET_KEEPCAPS);
  prctl(PR_GET_PDEATHSIG, &facts->death_signal);
  prctl(PR_GET_CHILD_SUBREAPER, &facts->subreaper);
  facts->oom_score = oom_score_adj();
  prctl(PR_GET_NAME, facts->comm);
  sched_getaffinity(0, sizeof facts->affinity, &facts->affinity);
}

static void compare(const struct facts *before, const struct facts *now) {
  EXPECT(memcmp(before->uids, now->uids, sizeof now->uids) == 0, "user ids are %d %d %d %d", now->uids[0], now->uids[1], now->uids[2], now->uids[3]);
  EXPECT(memcmp(before->gids, now->gids, sizeof now->gids) == 0, "group ids are %d %d %d %d", now->gids[0], now->gids[1], now->gids[2], now->gids[3]);
  EXPECT(before->group_count == now->group_count && memcmp(before->groups, now->groups, sizeof now->groups) == 0, "there are %d groups, not %d", now->group_count, before->group_count);
  for (int i = 0; i < 4; i++) EXPECT(before->capabilities[i] == now->capabilities[i], "capability set %d is %#lx, not %#lx", i, now->capabilities[i], before->capabilities[i]);
  for (int i = 0; i < RLIM_NLIMITS; i++) EXPECT(memcmp(&before->limits[i], &now->limits[i], sizeof(struct rlimit)) == 0, "limit %d is %lu, %lu", i, now->limits[i].rlim_cur, now->limits[i].rlim_max);
  EXPECT(before->mask == now->mask, "umask is %o, not %o", now->mask, before->mask);
  EXPECT(strcmp(before->directory, now->directory) == 0, "the directory is %s", now->directory);
  EXPECT(before->nice == now->nice && before->policy == now->policy, "priority is %d in class %d", now->nice, now->policy);
  EXPECT(before->timer_slack == now->timer_slack, "timer slack is %d, not %d", now->timer_slack, before->timer_slack);
  EXPECT(before->dumpable == now->dumpable, "dumpable is %d, not %d", now->dumpable, before->dumpable);
  EXPECT(before->no_new_privs == now->no_new_privs && before->keep_capabilities == now->keep_capabilities, "no_new_privs is %d, keepcaps %d", now->no_new_privs, now->keep_capabilities);
  EXPECT(before->death_signal == now->death_signal && before->subreaper == now->subreaper, "death signal is %d, subreaper %d", now->death_signal, now->subreaper);
  EXPECT(before->oom_score == now->oom_score, "oom_score_adj is %d, not %d", now->oom_score, before->oom_score);
  EXPECT(memcmp(before->comm, now->comm, sizeof now->comm) == 0, "the name is %s", now->comm);
  EXPECT(memcmp(&before->affinity, &now->affinity, sizeof now->affinity) == 0, "the affinity changed");
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  char *directory = victim_path("a directory");
  MUST(mkdir(directory, 0755) == 0 && chdir(directory) == 0);
  umask(0027);
  struct rlimit files = {333, 4444}, core = {0, 1 << 20};
  MUST(setrlimit(RLIMIT_NOFILE, &files) == 0 && setrlimit(RLIMIT_CORE, &core) == 0);
  MUST(setpriority(PRIO_PROCESS, 0, 5) == 0);
  prctl(PR_SET_NAME, "cred victim");
  prctl(PR_SET_TIMERSLACK, 123456);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_CAPBSET_DROP, CAP_SYS_TIME);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  MUST(fd >= 0 && write(fd, "123", 3) == 3 && close(fd) == 0);
  if (argc > 2 && strcmp(argv[2], "user") == 0) {
    gid_t groups[] = {7, 12345, 65000};
    MUST(chmod(victim_path(""), 0777) == 0 && chmod(directory, 0777) == 0 && setgroups(3, groups) == 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    MUST(setresgid(1001, 1002, 1003) == 0 && setresuid(2001, 2002, 2003) == 0);
    prctl(PR_SET_DUMPABLE, 1);
  }
  static struct facts before, now;
  collect(&before);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  collect(&now);
  compare(&before, &now);
  EXPECT(close(open("created here", O_CREAT | O_WRONLY, 0666)) == 0, "cannot create a file in the own directory: %s", strerror(errno));
  victim_end();
}
