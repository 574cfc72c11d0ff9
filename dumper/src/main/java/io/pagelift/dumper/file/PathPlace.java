package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.RawReader;

/** Where the path that the kernel prints for an open or mapped file leads. */
public enum PathPlace {
  /** To that file. */
  HERE,
  /** Nowhere: the file has no name any more, or never had one. */
  GONE,
  /** Nowhere, but the file has another name, which nobody can tell. */
  OTHER_NAME,
  /** To another file: the right one is hidden by a mount, or lies outside of our root directory. */
  HIDDEN;

  /**
   * Finds it out.
   *
   * @param link what the kernel prints, perhaps with {@link DescriptorFacts#DELETED}
   * @param stat the status of the file itself
   */
  public static PathPlace of(RawReader reader, String link, FileStat stat) {
    FileStat found = reader.statLink(link);
    if (found != null && found.key().equals(stat.key())) {
      return HERE;
    }
    if (!link.startsWith("/") || !link.endsWith(DescriptorFacts.DELETED)) {
      return HIDDEN;
    }
    // Some file systems count one link for every directory, also for a removed one.
    return stat.linkCount() == 0 || stat.directory() ? GONE : OTHER_NAME;
  }

  /** Whether the file has to be carried as a {@link Ghosts ghost}. */
  public boolean ghost() {
    return this == GONE || this == OTHER_NAME;
  }

  /** The path without the mark of a name that is gone. */
  public static String name(String link) {
    return link.endsWith(DescriptorFacts.DELETED) ? link.substring(0, link.length() - DescriptorFacts.DELETED.length()) : link;
  }
}
