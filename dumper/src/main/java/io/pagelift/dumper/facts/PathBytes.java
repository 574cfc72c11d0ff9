package io.pagelift.dumper.facts;

import com.google.protobuf.ByteString;
import io.pagelift.linux.FileNames;

/** Paths on their way into the image, where they are bytes: a file name may be any bytes but NUL and slash. */
public final class PathBytes {
  private PathBytes() {}

  /** The bytes of a path that was read from the kernel. */
  public static ByteString of(String path) {
    return ByteString.copyFrom(FileNames.encode(path));
  }
}
