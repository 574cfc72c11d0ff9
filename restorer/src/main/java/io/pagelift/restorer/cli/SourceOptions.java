package io.pagelift.restorer.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.common.SoftwareVersion;
import io.pagelift.restorer.handover.Following;
import io.pagelift.restorer.source.ImageSource;
import io.pagelift.restorer.source.ImageSources;
import io.pagelift.wire.cli.ConnectionOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the image is: the same for all commands. */
final class SourceOptions {
  /** One of both. */
  static final class Place {
    @Option(names = "--from", required = true, paramLabel = "HOST:PORT", description = "The page-server that has the image.")
    @Nullable String from;

    @Option(names = "--store", required = true, paramLabel = "DIR", description = "The page-server's store on this host.")
    @Nullable Path store;
  }

  @ArgGroup(multiplicity = "1")
  private Place place = new Place();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "",
      description = "Which migration; may be left out if there is only one complete one.")
  private String name = "";

  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  /** To wait for the image; throws a usage error unless a server and a name are given. */
  Following following() {
    String from = place.from;
    if (from == null || name.isEmpty()) {
      throw new PageliftException(ErrorCategory.USAGE, "--follow needs --from HOST:PORT and --name NAME: which migration, and where.");
    }
    HostPort server = HostPort.parse(from);
    return new Following(server, name, connection.to(server, SoftwareVersion.of("restorer")), System.err::println);
  }

  /** Opens the image. */
  ImageSource open() {
    Path store = place.store;
    if (store != null) {
      return ImageSources.store(store, name);
    }
    HostPort server = HostPort.parse(String.valueOf(place.from));
    return ImageSources.server(server, name, connection.to(server, SoftwareVersion.of("restorer")));
  }
}
