package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.ProcMountInfo;
import io.pagelift.linux.SyscallNumbers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the files that inotify and fanotify watch. Their fdinfo names them by inode and by handle, open_by_handle_at(2): the handle
 * opens the file through any mount of its file system, and the kernel then prints where it is.
 */
final class WatchedFiles implements AutoCloseable {
  /** MAX_HANDLE_SZ, linux/exportfs.h. */
  private static final int MAX_HANDLE_BYTES = 128;

  private static final int HEADER_BYTES = 8;

  private final RawReader reader;
  private final List<ProcMountInfo.Mount> mounts = ProcMountInfo.read(Kernel.pid());
  private final Map<Long, List<FileDescriptor>> mountsByDevice = new HashMap<>();

  WatchedFiles(RawReader reader) {
    this.reader = reader;
  }

  /**
   * A watched file.
   *
   * @param link its path as the kernel prints it
   * @param file O_PATH
   */
  record Found(String link, FileStat stat, FileDescriptor file) implements AutoCloseable {
    String openPath() {
      return "/proc/self/fd/" + file.number();
    }

    @Override
    public void close() {
      file.close();
    }
  }

  /** One line of fdinfo as words of {@code name:value}, all numbers in hexadecimal. */
  static Map<String, String> words(String line) {
    Map<String, String> words = new HashMap<>();
    for (String word : line.split(" ", -1)) {
      int colon = word.indexOf(':');
      if (colon > 0) {
        words.put(word.substring(0, colon), word.substring(colon + 1));
      }
    }
    return words;
  }

  /** A hexadecimal number among the words; 0 when it is missing. */
  static long number(Map<String, String> words, String name) {
    return Long.parseUnsignedLong(words.getOrDefault(name, "0"), 16);
  }

  /** Device and inode: {@code sdev} is the kernel's own encoding, MKDEV() in include/linux/kdev_t.h. */
  static SharedKey key(Map<String, String> words) {
    return new SharedKey(device(words), number(words, "ino"));
  }

  static long device(Map<String, String> words) {
    long device = number(words, "sdev");
    return FileStat.device((int) (device >>> 20), (int) (device & 0xfffff));
  }

  /** A mount with this id or, if that is negative, of this device; {@code null} when there is none. */
  ProcMountInfo.@Nullable Mount mount(long id, long device) {
    for (ProcMountInfo.Mount mount : mounts) {
      if (id >= 0 ? mount.id() == id : FileStat.device(mount.devMajor(), mount.devMinor()) == device) {
        return mount;
      }
    }
    return null;
  }

  /** The watched file; {@code null} when it cannot be opened. The caller closes it. */
  @Nullable Found find(Map<String, String> words) {
    String handle = words.get("f_handle");
    int lengthBytes = (int) number(words, "fhandle-bytes");
    if (handle == null || lengthBytes <= 0 || lengthBytes > MAX_HANDLE_BYTES || handle.length() < 2 * lengthBytes) {
      return null;
    }
    byte[] bytes = HexFormat.of().parseHex(handle.substring(0, 2 * lengthBytes));
    try (NativeBuffer buffer = NativeBuffer.allocate(HEADER_BYTES + MAX_HANDLE_BYTES)) {
      // struct file_handle: handle_bytes 4, handle_type 4, f_handle
      buffer.bytes().putInt(0, lengthBytes).putInt(4, (int) number(words, "fhandle-type")).put(HEADER_BYTES, bytes);
      for (FileDescriptor mount : mountsOf(device(words))) {
        long fd =
            Kernel.call(
                SyscallNumbers.OPEN_BY_HANDLE_AT, mount.number(), buffer.address(), Constants.O_PATH | Constants.O_CLOEXEC);
        if (!Kernel.failed(fd)) {
          return found(FileDescriptor.own((int) fd, "a watched file"));
        }
      }
    }
    return null;
  }

  private @Nullable Found found(FileDescriptor file) {
    String link = reader.link("/proc/self/fd/" + file.number());
    if (link == null) {
      file.close();
      return null;
    }
    return new Found(link, reader.statDescriptor(file.number()), file);
  }

  /** Mounts of the whole file system first: what lies outside of the others' roots cannot be named through them. */
  private List<FileDescriptor> mountsOf(long device) {
    return mountsByDevice.computeIfAbsent(
        device,
        wanted -> {
          List<FileDescriptor> open = new ArrayList<>();
          for (boolean whole : new boolean[] {true, false}) {
            for (ProcMountInfo.Mount mount : mounts) {
              if (FileStat.device(mount.devMajor(), mount.devMinor()) == wanted && mount.root().equals("/") == whole) {
                open(mount, open);
              }
            }
          }
          return open;
        });
  }

  private static void open(ProcMountInfo.Mount mount, List<FileDescriptor> open) {
    try {
      open.add(FileDescriptor.open(mount.mountPoint(), Constants.O_RDONLY | Constants.O_NONBLOCK));
    } catch (KernelException e) {
      // Hidden by another mount: one more of the same file system may be reachable.
    }
  }

  /**
   * Refuses an instance whose queue is not empty: events cannot be put into another queue. At a running process it may pass.
   *
   * @param copy our own descriptor of it
   */
  static void refusePending(DescriptorFacts facts, int copy, FileInspection inspection) {
    try (NativeBuffer buffer = NativeBuffer.allocate(4)) {
      long result = Kernel.call(SyscallNumbers.IOCTL, copy, Constants.FIONREAD, buffer.address());
      if (!Kernel.failed(result) && buffer.bytes().getInt(0) > 0) {
        inspection.sink().refusePassing(
            facts.pid(),
            facts.object(),
            "it holds " + buffer.bytes().getInt(0) + " bytes of events that were not read yet",
            "dump again when the program has read them");
      }
    }
  }

  @Override
  public void close() {
    mountsByDevice.values().forEach(open -> open.forEach(FileDescriptor::close));
  }
}
