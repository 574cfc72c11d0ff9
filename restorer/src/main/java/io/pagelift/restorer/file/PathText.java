package io.pagelift.restorer.file;

import com.google.protobuf.ByteString;
import io.pagelift.linux.FileNames;

/** Paths out of the image, where they are bytes: a file name may be any bytes but NUL and slash. */
public final class PathText {
  private PathText() {}

  /** The path as the calls of {@code io.pagelift.linux} take it. */
  public static String of(ByteString path) {
    return FileNames.decode(path.toByteArray());
  }
}
