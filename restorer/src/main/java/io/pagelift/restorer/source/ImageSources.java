package io.pagelift.restorer.source;

import io.pagelift.common.HostPort;
import io.pagelift.wire.ClientOptions;
import java.nio.file.Path;

/** Opens images. */
public final class ImageSources {
  private ImageSources() {}

  /** A migration in a store directory; an empty name means the only complete one. */
  public static ImageSource store(Path directory, String name) {
    return StoreSource.open(directory, name);
  }

  /** A migration that a page-server serves; an empty name means the only complete one. */
  public static ImageSource server(HostPort server, String name, ClientOptions options) {
    return ServerSource.open(server, name, options);
  }
}
