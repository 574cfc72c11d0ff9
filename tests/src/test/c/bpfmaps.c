// BPF maps: a hash and an array with their entries, flags and frozen state; one map open twice, for reading and for writing.
#include "victim.h"

#include <linux/bpf.h>

static long bpf(int command, union bpf_attr *attribute) { return syscall(SYS_bpf, command, attribute, sizeof *attribute); }

static int create(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags, const char *name) {
  union bpf_attr attribute = {.map_type = type, .key_size = key, .value_size = value, .max_entries = entries, .map_flags = flags};
  snprintf(attribute.map_name, sizeof attribute.map_name, "%s", name);
  return (int)bpf(BPF_MAP_CREATE, &attribute);
}

static long element(int command, int map, const void *key, void *value) {
  union bpf_attr attribute = {.map_fd = (uint32_t)map, .key = (uintptr_t)key, .value = (uintptr_t)value};
  return bpf(command, &attribute);
}

static struct bpf_map_info info_of(int map) {
  struct bpf_map_info info = {0};
  union bpf_attr attribute = {.info = {.bpf_fd = (uint32_t)map, .info_len = sizeof info, .info = (uintptr_t)&info}};
  if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attribute) != 0) victim_fail("no information about a map: %s", strerror(errno));
  return info;
}

int main(int argc, char **argv) {
  victim_begin(argc, argv);
  int hash = create(BPF_MAP_TYPE_HASH, 12, 20, 1000, BPF_F_NO_PREALLOC, "hash_of_victim"), array = create(BPF_MAP_TYPE_ARRAY, 4, 8, 300, BPF_F_RDONLY_PROG, "array");
  MUST(hash >= 0 && array >= 0);
  for (uint32_t i = 0; i < 777; i++) {
    uint32_t key[3] = {i, i * 7, 1}, value[5] = {i + 1, i + 2, i + 3, i + 4, ~i};
    MUST(element(BPF_MAP_UPDATE_ELEM, hash, key, value) == 0);
  }
  for (uint32_t i = 0; i < 300; i++) {
    uint64_t value = i * 1000000007ULL;
    MUST(element(BPF_MAP_UPDATE_ELEM, array, &i, &value) == 0);
  }
  union bpf_attr freeze = {.map_fd = (uint32_t)array};
  MUST(bpf(BPF_MAP_FREEZE, &freeze) == 0);
  union bpf_attr again = {.map_id = info_of(hash).id, .open_flags = BPF_F_WRONLY};
  int writer = (int)bpf(BPF_MAP_GET_FD_BY_ID, &again);
  MUST(writer >= 0);
  struct bpf_map_info hash_before = info_of(hash), array_before = info_of(array);
  victim_ready();
  while (!victim_should_stop()) victim_sleep_millis(3);
  struct bpf_map_info hash_now = info_of(hash), array_now = info_of(array);
  hash_now.id = hash_before.id;
  array_now.id = array_before.id;
  EXPECT(memcmp(&hash_now, &hash_before, sizeof hash_now) == 0, "the hash is of another kind, called %s", hash_now.name);
  EXPECT(memcmp(&array_now, &array_before, sizeof array_now) == 0, "the array is of another kind, called %s", array_now.name);
  for (uint32_t i = 0; i < 777; i++) {
    uint32_t key[3] = {i, i * 7, 1}, value[5] = {0};
    EXPECT(element(BPF_MAP_LOOKUP_ELEM, hash, key, value) == 0 && value[0] == i + 1 && value[3] == i + 4 && value[4] == ~i, "entry %u of the hash is %u", i, value[0]);
  }
  uint32_t key[3] = {777, 777 * 7, 1}, value[5] = {9, 9, 9, 9, 9};
  EXPECT(element(BPF_MAP_LOOKUP_ELEM, hash, key, value) == -1 && errno == ENOENT, "the hash has an entry more");
  EXPECT(element(BPF_MAP_UPDATE_ELEM, writer, key, value) == 0 && element(BPF_MAP_LOOKUP_ELEM, hash, key, value) == 0, "the second descriptor is of another map: %s", strerror(errno));
  EXPECT(element(BPF_MAP_LOOKUP_ELEM, writer, key, value) == -1 && errno == EPERM, "the descriptor for writing reads");
  for (uint32_t i = 0; i < 300; i++) {
    uint64_t number = 0;
    EXPECT(element(BPF_MAP_LOOKUP_ELEM, array, &i, &number) == 0 && number == i * 1000000007ULL, "element %u of the array is %lu", i, number);
  }
  uint32_t zero = 0;
  uint64_t number = 1;
  EXPECT(element(BPF_MAP_UPDATE_ELEM, array, &zero, &number) == -1 && errno == EPERM, "the frozen array can be written");
  EXPECT((fcntl(hash, F_GETFD) & FD_CLOEXEC) != 0, "flags changed");
  victim_end();
}
