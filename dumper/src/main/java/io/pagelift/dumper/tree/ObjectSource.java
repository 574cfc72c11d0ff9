package io.pagelift.dumper.tree;

/**
 * A shared object whose contents have to be sent as pages, and where to read them.
 *
 * <p>Read with {@code pread} over the extents that {@code SEEK_DATA} and {@code SEEK_HOLE} report; holes are absent. The
 * path is good as long as the tree is frozen.
 *
 * @param objectId from {@link ObjectIds}
 * @param kind what it is
 * @param key what identifies it at the source
 * @param path a path that opens the object from outside ({@code /proc/PID/fd/N} or {@code /proc/PID/map_files/A-B})
 * @param sizeBytes its length in the freeze; the last page may be partial and is padded with zeros
 */
public record ObjectSource(long objectId, Kind kind, SharedKey key, String path, long sizeBytes) {
  /** Which kind of object in the store. */
  public enum Kind {
    /** Anonymous shared memory, memfd, tmpfs file, System V segment. */
    SHARED_MEMORY,
    /** The contents of an unlinked regular file. */
    FILE_CONTENTS
  }
}
