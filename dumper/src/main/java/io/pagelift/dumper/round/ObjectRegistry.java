package io.pagelift.dumper.round;

import io.pagelift.dumper.tree.ObjectIds;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.ObjectInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which object id belongs to what. Ids come from the server's count and are never given to another object again; a new tracking
 * token means new ids for everything, so that pages of an earlier, broken run can never be taken for current ones.
 */
final class ObjectRegistry implements ObjectIds {
  private final Map<Long, ObjectInfo> known = new LinkedHashMap<>();
  private final Map<Integer, Long> spaceOfPid = new HashMap<>();
  private final Map<SharedKey, Long> sharedMemories = new LinkedHashMap<>();
  private final Map<SharedKey, Long> fileContents = new LinkedHashMap<>();
  private long nextId;

  /**
   * A registry.
   *
   * @param continued whether the objects of the last committed round still count
   */
  ObjectRegistry(MigrationOpened opened, boolean continued) {
    nextId = Math.max(1, opened.getNextObjectId());
    if (!continued) {
      return;
    }
    for (ObjectInfo object : opened.getObjectsList()) {
      known.put(object.getId(), object);
      SharedKey key = new SharedKey(object.getDevice(), object.getInode());
      if (object.getKind() == ObjectInfo.Kind.SHARED_MEMORY) {
        sharedMemories.put(key, object.getId());
      } else if (object.getKind() == ObjectInfo.Kind.FILE_CONTENTS) {
        fileContents.put(key, object.getId());
      }
    }
  }

  /** The object of an address space in which this very process lived in the last committed round. */
  Optional<Long> earlierSpace(int pid, long startTimeTicks) {
    return known.values().stream()
        .filter(object -> object.getKind() == ObjectInfo.Kind.ADDRESS_SPACE)
        .filter(object -> object.getPid() == pid && object.getStartTimeTicks() == startTimeTicks)
        .map(ObjectInfo::getId)
        .findFirst();
  }

  /** A new object for the address space of a process. */
  long newSpace(int pid, long startTimeTicks) {
    long id = nextId++;
    known.put(
        id,
        ObjectInfo.newBuilder()
            .setId(id)
            .setKind(ObjectInfo.Kind.ADDRESS_SPACE)
            .setPid(pid)
            .setStartTimeTicks(startTimeTicks)
            .build());
    return id;
  }

  /** Says which object the pages of a process are in. */
  void bind(int pid, long objectId) {
    spaceOfPid.put(pid, objectId);
  }

  /** Forgets the address space object of a process that is gone. */
  void forgetSpace(long objectId) {
    known.remove(objectId);
    spaceOfPid.values().removeIf(id -> id == objectId);
  }

  /** Forgets shared objects that are not among these ids. */
  void retainShared(List<Long> ids) {
    sharedMemories.values().retainAll(ids);
    fileContents.values().retainAll(ids);
    known.values().removeIf(object -> object.getKind() != ObjectInfo.Kind.ADDRESS_SPACE && !ids.contains(object.getId()));
  }

  @Override
  public long addressSpace(int pid) {
    Long id = spaceOfPid.get(pid);
    if (id == null) {
      throw new IllegalStateException("no address space of process " + pid);
    }
    return id;
  }

  @Override
  public long sharedMemory(SharedKey key) {
    return sharedMemories.computeIfAbsent(key, k -> newShared(k, ObjectInfo.Kind.SHARED_MEMORY));
  }

  @Override
  public long fileContents(SharedKey key) {
    return fileContents.computeIfAbsent(key, k -> newShared(k, ObjectInfo.Kind.FILE_CONTENTS));
  }

  private long newShared(SharedKey key, ObjectInfo.Kind kind) {
    long id = nextId++;
    known.put(
        id,
        ObjectInfo.newBuilder().setId(id).setKind(kind).setDevice(key.device()).setInode(key.inode()).build());
    return id;
  }

  /** All objects that count now, for the commit of a round. */
  List<ObjectInfo> alive() {
    return new ArrayList<>(known.values());
  }
}
