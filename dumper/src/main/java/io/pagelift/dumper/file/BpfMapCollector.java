package io.pagelift.dumper.file;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.image.BpfMap;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * BPF maps, bpf(2): hashes and arrays with all their entries. Entries are read through a descriptor of our own by the map's id, since
 * the program's may be for writing only.
 */
final class BpfMapCollector implements FileCollector {
  private static final int HASH = 1;
  private static final int ARRAY = 2;
  private static final int MAP_LOOKUP_ELEM = 1;
  private static final int MAP_GET_NEXT_KEY = 4;
  private static final int MAP_GET_FD_BY_ID = 14;
  private static final int OBJ_GET_INFO_BY_FD = 15;
  private static final int ATTRIBUTE_BYTES = 128;
  private static final int INFO_BYTES = 88;
  private static final int NAME_BYTES = 16;
  /** More than that does not belong into the state of a tree, which is one message. */
  private static final long MAX_CONTENT_BYTES = 32L << 20;

  @Override
  public String kind() {
    return "bpf-map";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:bpf-map");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    FdInfo info = facts.info();
    long type = info.number("map_type", 10, 0);
    long entryBytes = info.number("key_size", 10, 0) + info.number("value_size", 10, 0);
    if (type != HASH && type != ARRAY) {
      inspection.refuse(facts, "a BPF map of type " + type + " is not carried, only hashes and arrays", "close it before the dump");
    } else if (entryBytes * info.number("max_entries", 10, 0) > MAX_CONTENT_BYTES) {
      inspection.refuse(facts, "a BPF map may hold no more than " + MAX_CONTENT_BYTES + " bytes to be carried", "make it smaller");
    }
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    FdInfo info = file.facts().info();
    if (info.number("map_type", 10, 0) != HASH && info.number("map_type", 10, 0) != ARRAY) {
      return;
    }
    BpfMap.Builder map =
        BpfMap.newBuilder()
            .setMapId((int) info.number("map_id", 10, 0))
            .setType((int) info.number("map_type", 10, 0))
            .setKeyBytes((int) info.number("key_size", 10, 0))
            .setValueBytes((int) info.number("value_size", 10, 0))
            .setMaxEntries((int) info.number("max_entries", 10, 0))
            .setMapFlags((int) hexadecimal(info, "map_flags"))
            .setMapExtra(hexadecimal(info, "map_extra"))
            .setFrozen(info.number("frozen", 10, 0) != 0);
    try (NativeBuffer attribute = NativeBuffer.allocate(ATTRIBUTE_BYTES)) {
      ByteBuffer bytes = attribute.bytes();
      bytes.putInt(0, map.getMapId());
      int own = (int) Kernel.check(call(MAP_GET_FD_BY_ID, attribute), "bpf", "map " + map.getMapId());
      try {
        readInfo(file.facts(), own, map, attribute, files);
        readEntries(own, map, attribute);
      } finally {
        Kernel.call(SyscallNumbers.CLOSE, own);
      }
    }
    file.raw(map.build());
  }

  private static long hexadecimal(FdInfo info, String name) {
    String value = info.value(name);
    return value == null ? 0 : Long.decode(value);
  }

  // struct bpf_map_info of linux/bpf.h: name at 24, btf_value_type_id at 72.
  private static void readInfo(
      DescriptorFacts facts, int own, BpfMap.Builder map, NativeBuffer attribute, FrozenFiles files) {
    try (NativeBuffer info = NativeBuffer.allocate(INFO_BYTES)) {
      clear(attribute).putInt(0, own).putInt(4, INFO_BYTES).putLong(8, info.address());
      Kernel.check(call(OBJ_GET_INFO_BY_FD, attribute), "bpf", facts.object());
      byte[] name = new byte[NAME_BYTES];
      info.bytes().get(24, name);
      map.setName(new String(name, StandardCharsets.US_ASCII).replace("\0", ""));
      if (info.bytes().getInt(72) != 0) {
        files.inspection().refuse(facts, "a BPF map with type information (BTF) is not carried", "close it before the dump");
      }
    }
  }

  private static void readEntries(int own, BpfMap.Builder map, NativeBuffer attribute) {
    ByteString.Output keys = ByteString.newOutput();
    ByteString.Output values = ByteString.newOutput();
    try (NativeBuffer key = NativeBuffer.allocate(Math.max(1, map.getKeyBytes()));
        NativeBuffer next = NativeBuffer.allocate(Math.max(1, map.getKeyBytes()));
        NativeBuffer value = NativeBuffer.allocate(Math.max(1, map.getValueBytes()))) {
      long after = 0;
      for (int i = 0; i < map.getMaxEntries(); i++) {
        clear(attribute).putInt(0, own).putLong(8, after).putLong(16, next.address());
        long result = call(MAP_GET_NEXT_KEY, attribute);
        if (result == -Errno.ENOENT) {
          break;
        }
        Kernel.check(result, "bpf", "the keys of map " + map.getMapId());
        byte[] found = new byte[map.getKeyBytes()];
        next.bytes().get(0, found);
        key.bytes().put(0, found);
        after = key.address();
        clear(attribute).putInt(0, own).putLong(8, key.address()).putLong(16, value.address());
        // ENOENT: a BPF program, which nobody stops, has taken it away meanwhile.
        if (call(MAP_LOOKUP_ELEM, attribute) == 0) {
          byte[] content = new byte[map.getValueBytes()];
          value.bytes().get(0, content);
          keys.write(found, 0, found.length);
          values.write(content, 0, content.length);
        }
      }
    }
    map.setKeys(keys.toByteString()).setValues(values.toByteString());
  }

  private static ByteBuffer clear(NativeBuffer attribute) {
    ByteBuffer bytes = attribute.bytes();
    bytes.put(0, new byte[ATTRIBUTE_BYTES]);
    return bytes;
  }

  private static long call(int command, NativeBuffer attribute) {
    return Kernel.call(SyscallNumbers.BPF, command, attribute.address(), ATTRIBUTE_BYTES);
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return file.raw() instanceof BpfMap map ? map : BpfMap.getDefaultInstance();
  }
}
