package io.pagelift.restorer.memory;

import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.restorer.source.ImageSource;
import java.util.HashMap;
import java.util.Map;

/** The store's segment files, opened once for all processes of a restore. */
public final class SegmentFiles implements AutoCloseable {
  private final ImageSource source;
  private final Map<Integer, FileDescriptor> open = new HashMap<>();

  /** Files of this source. */
  public SegmentFiles(ImageSource source) {
    this.source = source;
  }

  /** Whether the segments can be read here. */
  boolean readable(int segment) {
    return source.segmentFile(segment).isPresent();
  }

  /** A segment's file. */
  FileDescriptor open(int segment) {
    return open.computeIfAbsent(
        segment, number -> FileDescriptor.open(source.segmentFile(number).orElseThrow().toString(), Constants.O_RDONLY));
  }

  @Override
  public void close() {
    open.values().forEach(FileDescriptor::close);
  }
}
