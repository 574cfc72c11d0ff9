package io.pagelift.dumper.round;

import io.pagelift.common.HostPort;
import io.pagelift.dumper.stats.StatsFile;
import io.pagelift.linux.KernelFeatures;
import io.pagelift.wire.ClientOptions;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What pre-dump and dump have in common.
 *
 * @param pid the root of the tree
 * @param server where the pages go
 * @param migration the migration's name
 * @param tracker the dirty tracker that was asked for
 * @param statsFile where to write the figures; null for nowhere
 * @param connection how to talk to the server, and what this program calls itself
 * @param features what this kernel and user can do
 */
public record DumpOptions(
    int pid,
    HostPort server,
    String migration,
    Optional<TrackerKind> tracker,
    @Nullable Path statsFile,
    ClientOptions connection,
    KernelFeatures features) {
  /** Name and version of this program. */
  String software() {
    return connection.software();
  }

  /** The statistics of a command with these options. */
  StatsFile stats(String command) {
    return new StatsFile(statsFile, command, pid, migration);
  }
}
