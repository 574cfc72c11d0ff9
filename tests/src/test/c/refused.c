// Has one thing that cannot be carried, named by its option, and goes on without noticing that somebody tried.
#include "victim.h"

#include <asm/ldt.h>
#include <linux/landlock.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>

static int sockets[2];

static void use_socket(void) {
  MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  MUST(write(sockets[0], "kept", 4) == 4);
}

static void check_socket(void) {
  char text[8] = "";
  EXPECT(read(sockets[1], text, sizeof text) == 4 && memcmp(text, "kept", 4) == 0, "the socket lost what was in it");
}

static void use_descriptor_table(void) {
  struct user_desc entry = {.entry_number = 0, .base_addr = 0x1000, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1};
  MUST(syscall(SYS_modify_ldt, 0x11, &entry, sizeof entry) == 0);
}

static void check_descriptor_table(void) {
  char table[64];
  EXPECT(syscall(SYS_modify_ldt, 0, table, sizeof table) > 0, "the local descriptor table is gone");
}

static long key;

static void use_keyring(void) {
  MUST(syscall(SYS_keyctl, 1, "victim") > 0);
  MUST((key = syscall(SYS_add_key, "user", "secret", "kept", 4, -3)) > 0);
}

static void check_keyring(void) {
  char secret[8];
  EXPECT(syscall(SYS_keyctl, 11, key, secret, sizeof secret) == 4 && memcmp(secret, "kept", 4) == 0, "the key is gone");
}

static void use_landlock(void) {
  struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK};
  int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  MUST(rules >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0);
  close(rules);
}

static int semaphores = -1, queue = -1;

static void use_semaphores(void) {
  semaphores = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
  struct sembuf up = {1, 2, 0};
  MUST(semaphores >= 0 && semop(semaphores, &up, 1) == 0);
}

static void use_queue(void) {
  struct {
    long type;
    char text[8];
  } message = {1, "kept"};
  queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  MUST(queue >= 0 && msgsnd(queue, &message, 8, 0) == 0);
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  const char *what = argc > 2 ? argv[2] : "";
  if (strcmp(what, "socket") == 0) use_socket();
  if (strcmp(what, "ldt") == 0) use_descriptor_table();
  if (strcmp(what, "keyring") == 0) use_keyring();
  if (strcmp(what, "landlock") == 0) use_landlock();
  if (strcmp(what, "semaphores") == 0) use_semaphores();
  if (strcmp(what, "queue") == 0) use_queue();
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  if (strcmp(what, "socket") == 0) check_socket();
  if (strcmp(what, "ldt") == 0) check_descriptor_table();
  if (strcmp(what, "keyring") == 0) check_keyring();
  if (semaphores >= 0) EXPECT(semctl(semaphores, 1, GETVAL) == 2 && semctl(semaphores, 0, IPC_RMID) == 0, "the semaphore changed");
  if (queue >= 0) EXPECT(msgctl(queue, IPC_RMID, NULL) == 0, "the queue is gone");
  victim_end();
}
