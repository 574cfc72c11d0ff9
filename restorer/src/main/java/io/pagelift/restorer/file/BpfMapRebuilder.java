package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_ACCMODE;
import static io.pagelift.linux.Constants.O_RDONLY;
import static io.pagelift.linux.Constants.O_WRONLY;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.BpfMap;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** BPF maps, bpf(2): each made once and filled; every open file of it is opened by the new map's id. */
final class BpfMapRebuilder implements FileRebuilder {
  private static final int MAP_CREATE = 0;
  private static final int MAP_UPDATE_ELEM = 2;
  private static final int MAP_GET_FD_BY_ID = 14;
  private static final int OBJ_GET_INFO_BY_FD = 15;
  private static final int MAP_FREEZE = 22;
  private static final int BPF_F_RDONLY = 8;
  private static final int BPF_F_WRONLY = 16;
  private static final int ATTRIBUTE_BYTES = 128;
  private static final int NAME_BYTES = 15;
  private static final int INFO_BYTES = 88;

  @Override
  public String kind() {
    return "bpf-map";
  }

  @Override
  public void check(OpenFile file) {
    BpfMap map = Reopen.state(file, BpfMap.parser());
    long entries = map.getKeyBytes() <= 0 ? 0 : map.getKeys().size() / map.getKeyBytes();
    boolean whole =
        entries * map.getKeyBytes() == map.getKeys().size()
            && entries * map.getValueBytes() == map.getValues().size()
            && map.getName().length() <= NAME_BYTES;
    if (!whole) {
      throw new PageliftException(
          ErrorCategory.CORRUPT, "The entries of BPF map " + map.getMapId() + " in the image do not add up; dump again.");
    }
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    BpfMap map = Reopen.state(file, BpfMap.parser());
    FileDescriptor made = context.once("bpf-map " + map.getMapId(), FileDescriptor.class, () -> make(map));
    try (NativeBuffer attribute = NativeBuffer.allocate(ATTRIBUTE_BYTES);
        NativeBuffer info = NativeBuffer.allocate(INFO_BYTES)) {
      attribute.bytes().putInt(0, made.number()).putInt(4, INFO_BYTES).putLong(8, info.address());
      check(call(OBJ_GET_INFO_BY_FD, attribute), map);
      int access = file.getFlags() & O_ACCMODE;
      int openFlags = access == O_RDONLY ? BPF_F_RDONLY : access == O_WRONLY ? BPF_F_WRONLY : 0;
      clear(attribute).putInt(0, info.bytes().getInt(4)).putInt(8, openFlags);
      return FileDescriptor.own((int) check(call(MAP_GET_FD_BY_ID, attribute), map), made.object());
    }
  }

  private static FileDescriptor make(BpfMap map) {
    try (NativeBuffer attribute = NativeBuffer.allocate(ATTRIBUTE_BYTES);
        NativeBuffer key = NativeBuffer.allocate(Math.max(1, map.getKeyBytes()));
        NativeBuffer value = NativeBuffer.allocate(Math.max(1, map.getValueBytes()))) {
      // union bpf_attr of linux/bpf.h: map_name at 28, map_extra at 64.
      ByteBuffer bytes = attribute.bytes();
      bytes.putInt(0, map.getType()).putInt(4, map.getKeyBytes()).putInt(8, map.getValueBytes());
      bytes.putInt(12, map.getMaxEntries()).putInt(16, map.getMapFlags()).putLong(64, map.getMapExtra());
      bytes.put(28, map.getName().getBytes(StandardCharsets.US_ASCII));
      FileDescriptor made = FileDescriptor.own((int) check(call(MAP_CREATE, attribute), map), "BPF map " + map.getMapId());
      int count = map.getKeyBytes() == 0 ? 0 : map.getKeys().size() / map.getKeyBytes();
      for (int i = 0; i < count; i++) {
        put(map.getKeys().substring(i * map.getKeyBytes(), (i + 1) * map.getKeyBytes()).toByteArray(), key);
        put(map.getValues().substring(i * map.getValueBytes(), (i + 1) * map.getValueBytes()).toByteArray(), value);
        clear(attribute).putInt(0, made.number()).putLong(8, key.address()).putLong(16, value.address());
        check(call(MAP_UPDATE_ELEM, attribute), map);
      }
      if (map.getFrozen()) {
        clear(attribute).putInt(0, made.number());
        check(call(MAP_FREEZE, attribute), map);
      }
      return made;
    }
  }

  private static void put(byte[] content, NativeBuffer buffer) {
    buffer.bytes().put(0, content);
  }

  private static ByteBuffer clear(NativeBuffer attribute) {
    ByteBuffer bytes = attribute.bytes();
    bytes.put(0, new byte[ATTRIBUTE_BYTES]);
    return bytes;
  }

  private static long call(int command, NativeBuffer attribute) {
    return Kernel.call(SyscallNumbers.BPF, command, attribute.address(), ATTRIBUTE_BYTES);
  }

  private static long check(long result, BpfMap map) {
    return Kernel.check(result, "bpf", "map " + map.getMapId());
  }
}
