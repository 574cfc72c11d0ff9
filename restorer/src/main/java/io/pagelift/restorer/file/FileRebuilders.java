package io.pagelift.restorer.file;

import io.pagelift.image.OpenFile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All rebuilders, by kind. */
public final class FileRebuilders {
  private final Map<String, FileRebuilder> byKind = new HashMap<>();

  /** The rebuilders of this version. */
  public FileRebuilders() {
    List.of(
            new RegularFileRebuilder(),
            new DirectoryRebuilder(),
            new DeviceRebuilder(),
            new PipeRebuilder(),
            new EventFdRebuilder(),
            new EpollRebuilder(),
            new TimerFdRebuilder(),
            new SignalFdRebuilder(),
            new MemFdRebuilder(),
            new PathOnlyRebuilder(),
            new NamespaceRebuilder(),
            new ProcFileRebuilder(),
            new PidFdRebuilder(),
            new InotifyRebuilder(),
            new FanotifyRebuilder(),
            new BpfMapRebuilder())
        .forEach(rebuilder -> byKind.put(rebuilder.kind(), rebuilder));
  }

  /**
   * The rebuilder of an open file.
   *
   * @throws io.pagelift.common.PageliftException REFUSED for a kind that this version does not know
   */
  public FileRebuilder of(OpenFile file) {
    FileRebuilder rebuilder = byKind.get(file.getKind());
    if (rebuilder == null) {
      throw Reopen.refused(
          "Open file "
              + file.getId()
              + " of the image is of kind '"
              + file.getKind()
              + "', which this restorer can't rebuild; use the restorer of the version that took the image.");
    }
    return rebuilder;
  }
}
