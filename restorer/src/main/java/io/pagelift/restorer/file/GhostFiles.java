package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_CREAT;
import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_NOFOLLOW;
import static io.pagelift.linux.Constants.O_PATH;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.O_TMPFILE;
import static io.pagelift.linux.Constants.S_IFDIR;
import static io.pagelift.linux.Constants.S_IFLNK;
import static io.pagelift.linux.Constants.S_IFMT;
import static io.pagelift.linux.Constants.S_IFREG;

import com.google.protobuf.ByteString;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.GhostFile;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Paths;
import io.pagelift.linux.Stat;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes files, directories and nodes that have no name.
 *
 * <p>What a process sees of a name that is gone is the text of {@code /proc/PID/fd/N}. So a ghost is made under its old name, opened
 * by it, and loses it at once; under each of them, when it had several. Where the name belongs to another file by now, another name
 * in the same directory does, {@code .pagelift-ghost-PID-N}. Directories that are missing are made too. Directories go in {@link
 * #finish}, because ghosts may lie in ghosts.
 *
 * <p>Everybody gets an O_PATH descriptor and opens {@code /proc/self/fd/N} of it: a program must not be open for writing, and each
 * open file needs a description of its own. Only a file of O_TMPFILE is made by the opening that has this flag, which nothing can
 * set later.
 */
public final class GhostFiles implements AutoCloseable {
  /** Longest path that Linux takes, limits.h. */
  private static final int PATH_MAX = 4096;

  private final Map<Integer, GhostFile> images = new LinkedHashMap<>();
  private final Map<Integer, Map<String, FileDescriptor>> made = new HashMap<>();
  private final List<String> directories = new ArrayList<>();
  private final ContentsSource contents;
  private final List<Opening> wanted = new ArrayList<>();
  private final List<Opening> opened = new ArrayList<>();
  private int temporaryNames;

  /** An opening that has to go by name. */
  private record Opening(int id, String name, int flags, @Nullable FileDescriptor file) {
    boolean is(int otherId, String otherName, int otherFlags) {
      return id == otherId && name.equals(otherName) && flags == otherFlags;
    }
  }

  /** None made yet. */
  public GhostFiles(List<GhostFile> ghosts, ContentsSource contents) {
    ghosts.forEach(ghost -> images.put(ghost.getId(), ghost));
    this.contents = contents;
  }

  /**
   * Refuses what cannot be made here.
   *
   * @throws PageliftException REFUSED or CORRUPT
   */
  public static void check(GhostFile ghost) {
    if (ghost.getNamesCount() == 0) {
      throw corrupt("file " + ghost.getId() + " without a name never had one either");
    }
    for (ByteString name : ghost.getNamesList()) {
      String path = PathText.of(name);
      if (!path.startsWith("/") || name.size() >= PATH_MAX || path.indexOf('\0') >= 0) {
        throw corrupt("the name of file " + ghost.getId() + " is no absolute path");
      }
    }
    if (!ghost.getLinkName().isEmpty()) {
      checkLink(ghost);
    }
  }

  private static void checkLink(GhostFile ghost) {
    String link = PathText.of(ghost.getLinkName());
    Stat stat;
    try {
      stat = Stat.ofLink(link);
    } catch (KernelException e) {
      throw Reopen.refused(
          link + ", the temporary name of " + PathText.of(ghost.getNames(0)) + ", can't be found here (" + e.errnoName()
              + "): an image with such names can be restored once; dump again with --link-remap.");
    }
    boolean regular = (ghost.getMode() & S_IFMT) == S_IFREG;
    if (stat.type() != (ghost.getMode() & S_IFMT)
        || (regular && (stat.sizeBytes() != ghost.getSizeBytes() || stat.modifyTime().toNanos() != ghost.getMtimeNanos()))) {
      throw Reopen.refused(link + " is not the file that got this temporary name at the source; copy that (rsync --times).");
    }
  }

  /** Makes all of them that nobody asked for yet: the order of the image has directories before what lies in them. */
  public void makeDirectories() {
    images.values().stream()
        .filter(ghost -> (ghost.getMode() & S_IFMT) == S_IFDIR)
        .forEach(ghost -> path(ghost.getId(), PathText.of(ghost.getNames(0))));
  }

  /**
   * A ghost under one of its names, as an O_PATH descriptor that stays open until {@link #close}.
   *
   * @param name absolute, as in the image
   */
  public FileDescriptor path(int id, String name) {
    GhostFile ghost = image(id);
    Map<String, FileDescriptor> names = made.get(id);
    if (names == null) {
      names = make(ghost);
    }
    FileDescriptor path = names.get(name);
    if (path == null) {
      throw corrupt(name + " is no name of file " + id);
    }
    return path;
  }

  /** Says beforehand that {@link #open} will be called: with O_NOFOLLOW among the flags a ghost has to be opened while it has a name. */
  public void announce(int id, String name, int flags) {
    if ((flags & O_NOFOLLOW) != 0) {
      wanted.add(new Opening(id, name, flags, null));
    }
  }

  private void openAnnounced(int id, String known, String name) {
    for (Opening opening : wanted) {
      if (opening.id == id && opening.name.equals(known)) {
        opened.add(new Opening(id, known, opening.flags, FileDescriptor.open(name, opening.flags)));
      }
    }
  }

  private @Nullable FileDescriptor takeOpened(int id, String name, int flags) {
    for (Opening opening : opened) {
      if (opening.is(id, name, flags)) {
        opened.remove(opening);
        return opening.file;
      }
    }
    return null;
  }

  /**
   * A new description of a ghost.
   *
   * @param flags access mode and status flags for open(2)
   */
  public FileDescriptor open(int id, String name, int flags) {
    GhostFile ghost = image(id);
    boolean temporary = (flags & O_TMPFILE) == O_TMPFILE;
    if (temporary && !made.containsKey(id) && ghost.getContentsObjectId() != 0) {
      FileDescriptor file = FileDescriptor.open(existingDirectory(name), flags & ~O_EXCL, 0600);
      hold(ghost, file);
      return file;
    }
    FileDescriptor path = path(id, name);
    FileDescriptor byName = takeOpened(id, name, flags);
    if (byName != null) {
      return byName;
    }
    // The magic link has to be followed.
    int left = (temporary ? flags & ~O_TMPFILE : flags) & ~O_NOFOLLOW;
    return FileDescriptor.open("/proc/self/fd/" + path.number(), left);
  }

  private GhostFile image(int id) {
    GhostFile ghost = images.get(id);
    if (ghost == null) {
      throw corrupt("file " + id + " without a name is missing");
    }
    return ghost;
  }

  private Map<String, FileDescriptor> make(GhostFile ghost) {
    String first = PathText.of(ghost.getNames(0));
    if (!ghost.getLinkName().isEmpty()) {
      String link = PathText.of(ghost.getLinkName());
      try (FileDescriptor file = FileDescriptor.open(link, O_PATH | O_NOFOLLOW)) {
        return byNames(ghost, file, Map.of());
      }
    }
    if (ghost.getNameless()) {
      try (FileDescriptor file = FileDescriptor.open(existingDirectory(first), O_TMPFILE | O_RDWR, 0600)) {
        return hold(ghost, file);
      }
    }
    String name = create(ghost, first);
    FileDescriptor path = FileDescriptor.open(name, O_PATH | O_NOFOLLOW);
    try {
      Map<String, FileDescriptor> names = byNames(ghost, path, Map.of(first, path));
      fill(ghost, path);
      openAnnounced(ghost.getId(), first, name);
      return names;
    } finally {
      if ((ghost.getMode() & S_IFMT) == S_IFDIR) {
        directories.add(name);
      } else {
        Paths.unlink(name);
      }
    }
  }

  /** Keeps a file that never had a name, for all of the names that it is known by. */
  private Map<String, FileDescriptor> hold(GhostFile ghost, FileDescriptor file) {
    FileDescriptor path = FileDescriptor.open("/proc/self/fd/" + file.number(), O_PATH);
    fill(ghost, path);
    Map<String, FileDescriptor> names = new HashMap<>();
    ghost.getNamesList().forEach(name -> names.put(PathText.of(name), path));
    made.put(ghost.getId(), names);
    return names;
  }

  /** Gives a file each of its old names for a moment and opens it by that. */
  private Map<String, FileDescriptor> byNames(GhostFile ghost, FileDescriptor file, Map<String, FileDescriptor> known) {
    Map<String, FileDescriptor> names = new HashMap<>(known);
    made.put(ghost.getId(), names);
    for (ByteString bytes : ghost.getNamesList()) {
      String name = PathText.of(bytes);
      if (!names.containsKey(name)) {
        names.put(name, byName(ghost.getId(), file, name));
      }
    }
    return names;
  }

  private FileDescriptor byName(int id, FileDescriptor file, String name) {
    String openPath = "/proc/self/fd/" + file.number();
    try {
      makeDirectories(parent(name));
      Paths.link(openPath, name);
    } catch (KernelException e) {
      // Taken by another file, or in a directory of another file system now: then it is known by the name that it has.
      return FileDescriptor.open(openPath, O_PATH);
    }
    try {
      openAnnounced(id, name, name);
      return FileDescriptor.open(name, O_PATH | O_NOFOLLOW);
    } finally {
      Paths.unlink(name);
    }
  }

  /** Creates the file, under its name or another one in the same directory, which is returned. */
  private String create(GhostFile ghost, String wanted) {
    makeDirectories(parent(wanted));
    String directory = existingDirectory(wanted);
    String name = directory.equals(parent(wanted)) ? wanted : temporaryName(directory);
    while (true) {
      try {
        createNew(ghost, name);
        return name;
      } catch (KernelException e) {
        if (e.errno() != Errno.EEXIST || temporaryNames > 1000) {
          throw e;
        }
        name = temporaryName(directory);
      }
    }
  }

  private String temporaryName(String directory) {
    return (directory.equals("/") ? "" : directory) + "/.pagelift-ghost-" + Kernel.pid() + "-" + ++temporaryNames;
  }

  private static void createNew(GhostFile ghost, String name) {
    int kind = ghost.getMode() & S_IFMT;
    switch (kind) {
      case S_IFREG -> FileDescriptor.open(name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600).close();
      case S_IFDIR -> Paths.makeDirectory(name, 0700);
      case S_IFLNK -> Paths.makeSymbolicLink(PathText.of(ghost.getTarget()), name);
      default -> Paths.makeNode(name, kind | 0600, device(ghost.getMajor(), ghost.getMinor()));
    }
  }

  /** The kernel's encoding of a device number, new_encode_dev() in include/linux/kdev_t.h. */
  private static long device(int major, int minor) {
    return (minor & 0xffL) | ((long) major << 8) | ((minor & ~0xffL) << 12);
  }

  private void fill(GhostFile ghost, FileDescriptor path) {
    String openPath = "/proc/self/fd/" + path.number();
    if ((ghost.getMode() & S_IFMT) == S_IFREG) {
      try (FileDescriptor file = FileDescriptor.open(openPath, O_RDWR)) {
        file.truncate(ghost.getSizeBytes());
        contents.fill(ghost.getContentsObjectId(), file, ghost.getSizeBytes());
      }
    }
    FileAttributes.set(openPath, ghost);
  }

  private void makeDirectories(String path) {
    List<String> missing = new ArrayList<>();
    String at = path;
    while (!exists(at)) {
      missing.add(at);
      at = parent(at);
    }
    Collections.reverse(missing);
    for (String directory : missing) {
      Paths.makeDirectory(directory, 0755);
      directories.add(directory);
    }
  }

  /** The directory of a path or, where that is something else now, the nearest one above. */
  private static String existingDirectory(String path) {
    String at = parent(path);
    while (!directory(at)) {
      at = parent(at);
    }
    return at;
  }

  private static boolean exists(String path) {
    try {
      return Stat.of(path).mode() != 0;
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      return true;
    }
  }

  private static boolean directory(String path) {
    try {
      return Stat.of(path).isDirectory();
    } catch (KernelException e) {
      return false;
    }
  }

  private static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash <= 0 ? "/" : path.substring(0, slash);
  }

  /** Takes the names of directories away, when everybody who is in one has entered it. */
  public void finish() {
    for (int i = directories.size() - 1; i >= 0; i--) {
      try {
        Paths.removeDirectory(directories.get(i));
      } catch (KernelException e) {
        // Somebody else has put something into it meanwhile: then it is theirs.
        if (e.errno() != Errno.ENOTEMPTY) {
          throw e;
        }
      }
    }
    directories.clear();
  }

  /** Takes away the temporary names that the dump gave; the image cannot be restored again after that. */
  public void removeLinks() {
    images.values().stream()
        .filter(ghost -> !ghost.getLinkName().isEmpty())
        .forEach(ghost -> Paths.unlink(PathText.of(ghost.getLinkName())));
  }

  private static PageliftException corrupt(String what) {
    return new PageliftException(ErrorCategory.CORRUPT, "The tree image is damaged: " + what + "; dump again.");
  }

  @Override
  public void close() {
    finish();
    opened.forEach(opening -> Objects.requireNonNull(opening.file).close());
    opened.clear();
    made.values().forEach(names -> names.values().forEach(FileDescriptor::close));
    made.clear();
  }
}
