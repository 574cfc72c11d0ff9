package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.F_ADD_SEALS;
import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_HUGETLB;
import static io.pagelift.linux.Constants.MAP_HUGE_SHIFT;
import static io.pagelift.linux.Constants.MAP_SHARED;
import static io.pagelift.linux.Constants.MFD_ALLOW_SEALING;
import static io.pagelift.linux.Constants.MFD_HUGETLB;
import static io.pagelift.linux.Constants.O_CREAT;
import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_RDONLY;
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
import java.util.Objects;

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
  private final Map<Integer, FileDescriptor> readOnly = new HashMap<>();
  private final ObjectContents contents;
  private final SystemVSegments segments = new SystemVSegments();

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

  /** The object, opened for reading only: what is mapped from it cannot be made writable. */
  FileDescriptor readOnly(int id) {
    FileDescriptor object = object(id);
    return readOnly.computeIfAbsent(id, key -> FileDescriptor.open("/proc/self/fd/" + object.number(), O_RDONLY));
  }

  private FileDescriptor make(SharedMemory memory) {
    return switch (memory.getKind()) {
      case ANONYMOUS -> filled(memory, anonymous(memory));
      case MEMFD -> filled(memory, memfd(memory));
      case TMPFS_FILE -> tmpfsFile(memory);
      case SYSTEM_V -> segment(memory);
      default ->
          throw new PageliftException(
              ErrorCategory.REFUSED,
              "Shared memory " + memory.getId() + " is of kind " + memory.getKind() + ", which can't be rebuilt yet.");
    };
  }

  private FileDescriptor filled(SharedMemory memory, FileDescriptor object) {
    if (memory.getHugePageBytes() == 0) {
      contents.fill(memory.getObjectId(), object, memory.getSizeBytes());
    } else {
      contents.fillMapped(memory.getObjectId(), object, memory.getSizeBytes());
    }
    return object;
  }

  private static FileDescriptor anonymous(SharedMemory memory) {
    long length = (memory.getSizeBytes() + PageRun.PAGE_BYTES - 1) & -PageRun.PAGE_BYTES;
    String object = "shared memory of " + length + " bytes";
    int flags = MAP_SHARED | MAP_ANONYMOUS | huge(memory, MAP_HUGETLB);
    long start =
        Kernel.check(
            Kernel.call(SyscallNumbers.MMAP, 0, length, PROT_READ | PROT_WRITE, flags, -1, 0), "mmap", object);
    try {
      String range = Long.toHexString(start) + "-" + Long.toHexString(start + length);
      return FileDescriptor.open("/proc/self/map_files/" + range, O_RDWR);
    } finally {
      Kernel.check(Kernel.call(SyscallNumbers.MUNMAP, start, length), "munmap", object);
    }
  }

  /** The flag for huge pages with their size, if the object has such. */
  private static int huge(SharedMemory memory, int flag) {
    long bytes = memory.getHugePageBytes();
    return bytes == 0 ? 0 : flag | Long.numberOfTrailingZeros(bytes) << MAP_HUGE_SHIFT;
  }

  private static FileDescriptor memfd(SharedMemory memory) {
    int sealing = memory.getSeals() == F_SEAL_SEAL ? 0 : MFD_ALLOW_SEALING;
    FileDescriptor object = FileDescriptor.memfd(memory.getName(), sealing | huge(memory, MFD_HUGETLB));
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

  private FileDescriptor segment(SharedMemory memory) {
    SystemVSegments.Opened opened = segments.open(memory);
    if (opened.existed()) {
      String name = SystemVSegments.name(memory.getSystemV());
      contents.checkSame(memory.getObjectId(), opened.object(), memory.getSizeBytes(), name);
      return opened.object();
    }
    return filled(memory, opened.object());
  }

  /** What the image says of an object. */
  SharedMemory image(int id) {
    return Objects.requireNonNull(images.get(id), "object() was called");
  }

  /** Refuses what cannot be made here because something of that name exists; changes nothing. */
  public static void check(SharedMemory memory) {
    if (memory.getKind() == SharedMemory.Kind.SYSTEM_V) {
      SystemVSegments.check(memory);
    }
  }

  /** What was made outlives the restorer: the tree has it from now on. */
  public void keep() {
    segments.keep();
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
    segments.finish();
  }

  /** For other objects with pages. */
  public ObjectContents contents() {
    return contents;
  }

  @Override
  public void close() {
    objects.values().forEach(FileDescriptor::close);
    readOnly.values().forEach(FileDescriptor::close);
    segments.discard();
  }
}
