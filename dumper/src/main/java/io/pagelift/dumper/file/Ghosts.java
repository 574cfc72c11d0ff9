package io.pagelift.dumper.file;

import com.google.protobuf.ByteString;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.dumper.tree.ObjectIds;
import io.pagelift.dumper.tree.ObjectSource;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.image.GhostFile;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Paths;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The ghosts of a tree: files, directories and nodes that are open, mapped or somebody's place, but that no known name leads to.
 *
 * <p>What has no name at all travels with the image, its contents as pages, and is made anew at the destination. What lost the name
 * under which it is known but has another one must stay the same file: with {@code --link-remap} it gets a temporary name beside the
 * lost one, {@code .pagelift-link-DEVICE-INODE} in hexadecimal, by linkat(2). The restorer removes that name when the tree is about
 * to run; {@link #removeLinks} does when the dump fails.
 *
 * <p>Everybody who refers to a file by path asks {@link #inspect} first, {@link #add}s it in the freeze, and puts {@link #id} into
 * the image.
 */
public final class Ghosts {
  private static final String LINK_PREFIX = ".pagelift-link-";

  private final RawReader reader;
  private final Map<SharedKey, Ghost> ghosts = new LinkedHashMap<>();
  private final Map<String, Integer> places = new HashMap<>();
  private final List<String> madeLinks = new ArrayList<>();
  private final RefusalSink sink;

  private static final class Ghost {
    final int id;
    final FileStat stat;
    final String openPath;
    final Set<String> names = new LinkedHashSet<>();
    String linkName = "";
    int pid;
    String target = "";

    Ghost(int id, FileStat stat, String openPath) {
      this.id = id;
      this.stat = stat;
      this.openPath = openPath;
    }
  }

  /** None yet. The reader is only used during calls of {@link #add}. */
  public Ghosts(RawReader reader, RefusalSink sink) {
    this.reader = reader;
    this.sink = sink;
  }

  /**
   * Refuses a file that cannot be carried because of what has become of its name; at a running or a frozen process.
   *
   * @param object what refers to it, for the message
   * @param link its path as the kernel prints it
   * @param stat the file behind it
   */
  public static void inspect(
      RawReader reader, CollectOptions options, int pid, String object, String link, FileStat stat, RefusalSink sink) {
    switch (PathPlace.of(reader, link, stat)) {
      case HERE -> {}
      case GONE -> inspectGone(options, pid, object, stat, sink);
      case OTHER_NAME -> {
        if (!options.linkRemap()) {
          sink.refuse(
              pid,
              object,
              "the name under which it was opened is gone, but the file has another one, which cannot be found",
              "dump with --link-remap, which gives it a temporary name, or put the name back");
        }
      }
      case HIDDEN ->
          sink.refuse(
              pid,
              object,
              "its path leads to another file or to none (hidden by a mount, or outside of the root directory)",
              "close it, or undo the mount before the dump");
    }
  }

  private static void inspectGone(CollectOptions options, int pid, String object, FileStat stat, RefusalSink sink) {
    if (stat.regular() && stat.allocatedBytes() > options.ghostLimitBytes()) {
      sink.refuse(
          pid,
          object,
          "the unlinked file takes " + stat.allocatedBytes() + " bytes on disk, more than --ghost-limit ("
              + options.ghostLimitBytes() + ")",
          "dump with a higher --ghost-limit, or close the file");
    }
  }

  /**
   * Takes a file, in the freeze, if it is a ghost. The same file may come several times, also under several names.
   *
   * @param link its path as the kernel prints it
   * @param openPath a path that opens it from outside, such as {@code /proc/PID/fd/N}; good as long as the tree is frozen
   */
  public void add(int pid, String link, FileStat stat, String openPath) {
    if (!link.endsWith(DescriptorFacts.DELETED)) {
      return;
    }
    PathPlace place = PathPlace.of(reader, link, stat);
    if (place.ghost()) {
      Ghost ghost = ghosts.computeIfAbsent(stat.key(), key -> new Ghost(ghosts.size() + 1, stat, openPath));
      ghost.names.add(PathPlace.name(link));
      places.put(openPath, ghost.id);
      if (place == PathPlace.OTHER_NAME && ghost.linkName.isEmpty()) {
        ghost.linkName = linkName(ghost);
        ghost.pid = pid;
        if (!openPath.startsWith("/proc/" + pid + "/")) {
          makeLink(ghost);
        }
      }
      if (stat.kind() == Constants.S_IFLNK && ghost.target.isEmpty() && place == PathPlace.GONE) {
        ghost.target = target(openPath);
      }
    }
  }

  /** An O_PATH descriptor leads to the symbolic link itself, and readlinkat(2) of an empty path reads it. */
  private String target(String openPath) {
    long fd = reader.open(openPath, Constants.O_PATH | Constants.O_CLOEXEC);
    try (FileDescriptor link = FileDescriptor.own((int) Kernel.check(fd, "open", openPath), openPath)) {
      return reader.linkTarget(link.number());
    }
  }

  private static String linkName(Ghost ghost) {
    String name = ghost.names.iterator().next();
    SharedKey key = ghost.stat.key();
    return name.substring(0, name.lastIndexOf('/') + 1)
        + LINK_PREFIX + Long.toHexString(key.device()) + "-" + Long.toHexString(key.inode());
  }

  /** Gives the temporary names. Only when all else was read: inotify queues notice it, and one that holds events is refused. */
  public void makeLinks() {
    ghosts.values().stream().filter(ghost -> !ghost.linkName.isEmpty()).forEach(this::makeLink);
  }

  private void makeLink(Ghost ghost) {
    try {
      FileStat known = reader.statLink(ghost.linkName);
      if (known == null || !known.key().equals(ghost.stat.key())) {
        Paths.link(ghost.openPath, ghost.linkName);
        madeLinks.add(ghost.linkName);
      }
    } catch (KernelException e) {
      String remedy =
          e.errno() == Errno.ENOENT
              ? "its directory is gone too: put that back, or close the file"
              : "close the file, or put its name back";
      sink.refuse(
          ghost.pid, ghost.names.iterator().next(),
          "it cannot get the temporary name " + ghost.linkName + " (" + e.errnoName() + ")", remedy);
    }
  }

  /** The image's id of a ghost; 0 for a file that is none. */
  public int id(SharedKey key) {
    Ghost ghost = ghosts.get(key);
    return ghost == null ? 0 : ghost.id;
  }

  /** The image's id of the ghost that was {@link #add}ed with this path; 0 when what it leads to is none. */
  public int idAt(String openPath) {
    return places.getOrDefault(openPath, 0);
  }

  /** The contents that have to be sent before the tree is thawed. */
  public List<ObjectSource> sources(ObjectIds ids) {
    List<ObjectSource> sources = new ArrayList<>();
    for (Ghost ghost : ghosts.values()) {
      if (contentsTravel(ghost)) {
        SharedKey key = ghost.stat.key();
        sources.add(
            new ObjectSource(
                ids.fileContents(key), ObjectSource.Kind.FILE_CONTENTS, key, ghost.openPath, ghost.stat.sizeBytes()));
      }
    }
    return sources;
  }

  private static boolean contentsTravel(Ghost ghost) {
    return ghost.stat.regular() && ghost.linkName.isEmpty();
  }

  /** The image of every ghost, by path, so that a directory comes before what lies in it. */
  public List<GhostFile> images(ObjectIds ids) {
    return ghosts.values().stream()
        .map(ghost -> image(ghost, ids))
        .sorted(Comparator.comparing(ghost -> ghost.getNames(0), ByteString.unsignedLexicographicalComparator()))
        .toList();
  }

  private static GhostFile image(Ghost ghost, ObjectIds ids) {
    FileStat stat = ghost.stat;
    GhostFile.Builder image =
        GhostFile.newBuilder()
            .setId(ghost.id)
            .setMode(stat.mode())
            .setUid(stat.uid())
            .setGid(stat.gid())
            .setSizeBytes(stat.sizeBytes())
            .setAtimeNanos(stat.atimeNanos())
            .setMtimeNanos(stat.mtimeNanos())
            .setMajor(stat.specialMajor())
            .setMinor(stat.specialMinor())
            .setLinkName(PathBytes.of(ghost.linkName))
            .setTarget(PathBytes.of(ghost.target));
    if (contentsTravel(ghost)) {
      image.setContentsObjectId(ids.fileContents(stat.key()));
    }
    for (String name : ghost.names) {
      image.addNames(PathBytes.of(name));
      // The kernel prints a file that was made with O_TMPFILE as its inode's number: d_mark_tmpfile() in fs/dcache.c.
      image.setNameless(image.getNameless() || name.endsWith("/#" + stat.inode()));
    }
    return image.build();
  }

  /** Takes the temporary names away again that were given for nothing. */
  public void removeLinks() {
    madeLinks.forEach(Paths::unlink);
    madeLinks.clear();
  }
}
