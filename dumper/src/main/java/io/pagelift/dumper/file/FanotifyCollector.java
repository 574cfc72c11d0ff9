package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.image.Fanotify;
import io.pagelift.image.FanotifyMark;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcMountInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** fanotify(7): marks on files, mounts and file systems. Marks that ask for permission are refused: others wait for the answers. */
final class FanotifyCollector implements FileCollector {
  private static final String LINE = "fanotify ";

  /** FAN_OPEN_PERM, FAN_ACCESS_PERM, FAN_OPEN_EXEC_PERM, FAN_PRE_ACCESS, linux/fanotify.h. */
  private static final long PERMISSION_EVENTS = 0x10000 | 0x20000 | 0x40000 | 0x100000;

  private static final SharedKey NOTHING = new SharedKey(-1, -1);

  private record Mark(FanotifyMark image, SharedKey key) {}

  private record Instance(int initFlags, int eventFlags, List<Mark> marks) {}

  @Override
  public String kind() {
    return "fanotify";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:[fanotify]");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    if (inspection.frozen()) {
      return;
    }
    try (DescriptorCopies copies = new DescriptorCopies();
        WatchedFiles watched = new WatchedFiles(inspection.reader())) {
      WatchedFiles.refusePending(facts, copies.fetch(facts), inspection);
      read(facts, null, watched, inspection);
    } catch (KernelException e) {
      if (!e.processGone()) {
        throw e;
      }
    }
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    WatchedFiles.refusePending(file.facts(), file.copy(), files.inspection());
    try (WatchedFiles watched = new WatchedFiles(files.inspection().reader())) {
      file.raw(read(file.facts(), files, watched, files.inspection()));
    }
  }

  private static Instance read(
      DescriptorFacts facts, @Nullable FrozenFiles files, WatchedFiles watched, FileInspection inspection) {
    int initFlags = 0;
    int eventFlags = 0;
    List<Mark> marks = new ArrayList<>();
    for (FdInfo.Line line : facts.info().lines()) {
      if (line.name().startsWith(LINE)) {
        Map<String, String> words = WatchedFiles.words(line.name().substring(LINE.length()) + ":" + line.value());
        if (words.containsKey("event-flags")) {
          initFlags = (int) WatchedFiles.number(words, "flags");
          eventFlags = (int) WatchedFiles.number(words, "event-flags");
        } else {
          Mark mark = mark(facts, words, files, watched, inspection);
          if (mark != null) {
            marks.add(mark);
          }
        }
      }
    }
    return new Instance(initFlags, eventFlags, marks);
  }

  private static @Nullable Mark mark(
      DescriptorFacts facts,
      Map<String, String> words,
      @Nullable FrozenFiles files,
      WatchedFiles watched,
      FileInspection inspection) {
    FanotifyMark.Builder image =
        FanotifyMark.newBuilder()
            .setMarkFlags((int) WatchedFiles.number(words, "mflags"))
            .setMask(WatchedFiles.number(words, "mask"))
            .setIgnoredMask(WatchedFiles.number(words, "ignored_mask"));
    if ((image.getMask() & PERMISSION_EVENTS) != 0) {
      inspection.refuse(facts, "it decides about what other processes may open", "end that program before the dump");
      return null;
    }
    if (words.containsKey("ino")) {
      WatchPlace place =
          WatchPlace.of(
              facts,
              words,
              files == null ? null : files.byPath(WatchedFiles.key(words)),
              files == null ? null : files.ghosts(),
              watched,
              inspection);
      return place == null
          ? null
          : new Mark(image.setKind(FanotifyMark.Kind.INODE).setPath(PathBytes.of(place.path())).build(), place.key());
    }
    boolean ofMount = words.containsKey("mnt_id");
    ProcMountInfo.Mount mount =
        watched.mount(ofMount ? WatchedFiles.number(words, "mnt_id") : -1, WatchedFiles.device(words));
    if (mount == null) {
      inspection.refuse(facts, "it watches a mount or file system that cannot be found", "remove the mark before the dump");
      return null;
    }
    image.setKind(ofMount ? FanotifyMark.Kind.MOUNT : FanotifyMark.Kind.FILE_SYSTEM);
    return new Mark(image.setPath(PathBytes.of(mount.mountPoint())).build(), NOTHING);
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    Fanotify.Builder fanotify = Fanotify.newBuilder();
    if (file.raw() instanceof Instance instance) {
      fanotify.setInitFlags(instance.initFlags).setEventFlags(instance.eventFlags);
      instance.marks.forEach(
          mark -> fanotify.addMarks(mark.image.toBuilder().setGhostId(references.ghostId(mark.key))));
    }
    return fanotify.build();
  }
}
