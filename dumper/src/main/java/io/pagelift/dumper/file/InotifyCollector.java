package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.Inotify;
import io.pagelift.image.InotifyWatch;
import io.pagelift.linux.KernelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** inotify(7): watches with their numbers. An instance with events that were not read yet is refused. */
final class InotifyCollector implements FileCollector {
  private record Watch(int wd, int mask, WatchPlace place) {}

  @Override
  public String kind() {
    return "inotify";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:inotify");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    if (inspection.frozen()) {
      return;
    }
    try (DescriptorCopies copies = new DescriptorCopies();
        WatchedFiles watched = new WatchedFiles(inspection.reader())) {
      WatchedFiles.refusePending(facts, copies.fetch(facts), inspection);
      for (FdInfo.Line line : facts.info().lines()) {
        if (line.name().equals("inotify wd")) {
          WatchPlace.of(facts, WatchedFiles.words("wd:" + line.value()), null, null, watched, inspection);
        }
      }
    } catch (KernelException e) {
      if (!e.processGone()) {
        throw e;
      }
    }
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    DescriptorFacts facts = file.facts();
    WatchedFiles.refusePending(facts, file.copy(), files.inspection());
    List<Watch> watches = new ArrayList<>();
    try (WatchedFiles watched = new WatchedFiles(files.inspection().reader())) {
      for (FdInfo.Line line : facts.info().lines()) {
        if (line.name().equals("inotify wd")) {
          Map<String, String> words = WatchedFiles.words("wd:" + line.value());
          WatchPlace place =
              WatchPlace.of(
                  facts, words, files.byPath(WatchedFiles.key(words)), files.ghosts(), watched, files.inspection());
          if (place != null) {
            watches.add(new Watch((int) WatchedFiles.number(words, "wd"), (int) WatchedFiles.number(words, "mask"), place));
          }
        }
      }
    }
    file.raw(watches);
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    Inotify.Builder inotify = Inotify.newBuilder();
    if (file.raw() instanceof List<?> watches) {
      watches.stream()
          .map(Watch.class::cast)
          .sorted((left, right) -> Integer.compare(left.wd, right.wd))
          .forEach(
              watch ->
                  inotify.addWatches(
                      InotifyWatch.newBuilder()
                          .setWd(watch.wd)
                          .setMask(watch.mask)
                          .setPath(PathBytes.of(watch.place.path()))
                          .setGhostId(references.ghostId(watch.place.key()))));
    }
    return inotify.build();
  }
}
