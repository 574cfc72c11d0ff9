package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.F_ADD_SEALS;
import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_SHARED;
import static io.pagelift.linux.Constants.MFD_ALLOW_SEALING;
import static io.pagelift.linux.Constants.O_CREAT;
import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.O_TMPFILE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.image.SharedMemory;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.source.ImageSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Shared memory objects, each made once by the restorer and held open until all processes have mapped it.
 *
 * <p>Anonymous shared memory has no descriptor of its own: the restorer maps it and opens the file behind the mapping through
 * {@code /proc/self/map_files}. What processes map from that descriptor is the same object and looks the same in their maps.
 */
public final class SharedMemories implements AutoCloseable {
  private static final int F_SEAL_SEAL = 1;

  private final Map<Integer, SharedMemory> images = new LinkedHashMap<>();
  private final Map<Integer, FileDescriptor> objects = new HashMap<>();
  private final ObjectContents contents;

  /** The objects of an image; none is made yet. */
  public SharedMemories(Iterable<SharedMemory> memories, ImageSource source) {
    memories.forEach(memory -> images.put(memory.getId(), memory));
    contents = new ObjectContents(source);
  }

  /** The object, made and filled when asked for first. */
  public FileDescriptor object(int id) {
    FileDescriptor known = objects.get(id);
    if (known != null) {
      return known;
    }
    SharedMemory memory = images.get(id);
    if (memory == null) {
      throw new PageliftException(
          ErrorCategory.CORRUPT, "The image refers to shared memory " + id + ", which it does not have; dump again.");
    }
    FileDescriptor made = make(memory);
    objects.put(id, made);
    return made;
  }

  private FileDescriptor make(SharedMemory memory) {
    return switch (memory.getKind()) {
      case ANONYMOUS -> filled(memory, anonymous(memory));
      case MEMFD -> filled(memory, memfd(memory));
      case TMPFS_FILE -> tmpfsFile(memory);
      default ->
          throw new PageliftException(
              ErrorCategory.REFUSED,
              "Shared memory " + memory.getId() + " is of kind " + memory.getKind() + ", which can't be rebuilt yet.");
    };
  }

  private FileDescriptor filled(SharedMemory memory, FileDescriptor object) {
    contents.fill(memory.getObjectId(), object, memory.getSizeBytes());
    return object;
  }

  private static FileDescriptor anonymous(SharedMemory memory) {
    long length = (memory.getSizeBytes() + PageRun.PAGE_BYTES - 1) & -PageRun.PAGE_BYTES;
    String object = "shared memory of " + length + " bytes";
    long start =
        Kernel.check(
            Kernel.call(SyscallNumbers.MMAP, 0, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
            "mmap",
            object);
    try {
      String range = Long.toHexString(start) + "-" + Long.toHexString(start + length);
      return FileDescriptor.open("/proc/self/map_files/" + range, O_RDWR);
    } finally {
      Kernel.check(Kernel.call(SyscallNumbers.MUNMAP, start, length), "munmap", object);
    }
  }

  private static FileDescriptor memfd(SharedMemory memory) {
    int sealing = memory.getSeals() == F_SEAL_SEAL ? 0 : MFD_ALLOW_SEALING;
    FileDescriptor object = FileDescriptor.memfd(memory.getName(), sealing);
    object.truncate(memory.getSizeBytes());
    own(memory, object);
    return object;
  }

  private static void own(SharedMemory memory, FileDescriptor object) {
    Kernel.check(
        Kernel.call(SyscallNumbers.FCHOWN, object.number(), memory.getUid(), memory.getGid()), "fchown", object.object());
    if (memory.getMode() != 0) {
      object.chmod(memory.getMode() & 07777);
    }
  }

  private FileDescriptor tmpfsFile(SharedMemory memory) {
    String path = memory.getName();
    if (!memory.getUnlinked() && Files.exists(Path.of(path))) {
      FileDescriptor existing = FileDescriptor.open(path, O_RDWR);
      contents.checkSame(memory.getObjectId(), existing, memory.getSizeBytes(), path);
      return existing;
    }
    FileDescriptor object =
        memory.getUnlinked()
            ? FileDescriptor.open(parent(path), O_TMPFILE | O_RDWR | O_EXCL, 0600)
            : FileDescriptor.open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    object.truncate(memory.getSizeBytes());
    own(memory, object);
    return filled(memory, object);
  }

  private static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash <= 0 ? "/" : path.substring(0, slash);
  }

  /** Makes those that nobody asked for yet (they may be open without being mapped), and seals what was sealed. */
  public void finish() {
    for (SharedMemory memory : images.values()) {
      FileDescriptor object = object(memory.getId());
      int seals = memory.getKind() == SharedMemory.Kind.MEMFD ? memory.getSeals() : 0;
      if (seals != 0 && seals != F_SEAL_SEAL) {
        object.fcntl(F_ADD_SEALS, seals);
      }
    }
  }

  /** For other objects with pages. */
  public ObjectContents contents() {
    return contents;
  }

  @Override
  public void close() {
    objects.values().forEach(FileDescriptor::close);
  }
}
