package io.pagelift.restorer.file;

import io.pagelift.linux.FileDescriptor;

/** Where the contents of files come from that travelled with the image. */
@FunctionalInterface
public interface ContentsSource {
  /** Puts the pages of an object into an empty file of this size; what is not held stays a hole. */
  void fill(long objectId, FileDescriptor file, long sizeBytes);
}
