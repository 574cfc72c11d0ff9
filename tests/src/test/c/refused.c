// Has one thing that cannot be carried, named by its option, and goes on without noticing that somebody tried.
#include "victim.h"

#include <asm/ldt.h>
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

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  const char *what = argc > 2 ? argv[2] : "";
  if (strcmp(what, "socket") == 0) use_socket();
  if (strcmp(what, "ldt") == 0) use_descriptor_table();
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  if (strcmp(what, "socket") == 0) check_socket();
  if (strcmp(what, "ldt") == 0) check_descriptor_table();
  victim_end();
}
