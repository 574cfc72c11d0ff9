package io.pagelift.dumper.stats;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON file of {@code --stats}: written again after every round, as a whole, so that a command that fails leaves the rounds
 * that were committed. Names of figures that CRIU has too are CRIU's.
 */
public final class StatsFile {
  private final @Nullable Path path;
  private final String command;
  private final int pid;
  private final String migration;
  private final List<String> rounds = new ArrayList<>();

  /**
   * The figures of one command.
   *
   * @param path where to write them; null for nowhere
   */
  public StatsFile(@Nullable Path path, String command, int pid, String migration) {
    this.path = path;
    this.command = command;
    this.pid = pid;
    this.migration = migration;
  }

  /** Checks before anything is touched that the file can be written there. */
  public void check() {
    if (path != null) {
      write();
    }
  }

  /** Adds a committed round and writes the file. */
  public void add(RoundStats round) {
    rounds.add(round.json());
    if (path != null) {
      write();
    }
  }

  private void write() {
    String json =
        new JsonObject()
            .put("command", command)
            .put("pid", pid)
            .put("migration", migration)
            .raw("rounds", rounds.isEmpty() ? "[]" : "[\n  " + String.join(",\n  ", rounds) + "\n]")
            .toString();
    Path target = java.util.Objects.requireNonNull(path).toAbsolutePath();
    try {
      Path directory = java.util.Objects.requireNonNullElse(target.getParent(), target);
      Path temporary =
          Files.createTempFile(
              directory,
              ".stats",
              ".tmp",
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try {
        Files.writeString(temporary, json + "\n", StandardCharsets.UTF_8);
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new PageliftException(
          ErrorCategory.USAGE, "The statistics cannot be written to " + target + ": " + e + "; give --stats another file.", e);
    }
  }
}
