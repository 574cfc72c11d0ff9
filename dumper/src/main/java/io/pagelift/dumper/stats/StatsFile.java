package io.pagelift.dumper.stats;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
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

  /**
   * Checks before anything is touched that the file can be written there.
   *
   * @throws PageliftException USAGE
   */
  public void check() {
    if (path == null) {
      return;
    }
    // What is written replaces the file: a device or a directory is not to be replaced.
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new PageliftException(ErrorCategory.USAGE, path + " is not a regular file; give --stats another one.");
    }
    try {
      write(path.toAbsolutePath());
    } catch (IOException e) {
      throw new PageliftException(
          ErrorCategory.USAGE,
          "The statistics cannot be written to " + path + " (" + reason(e) + "); give --stats a file in a directory that can be written.",
          e);
    }
  }

  /**
   * Adds a committed round and writes the file. The round stands whether or not that works, so a failure is only told.
   *
   * @param messages where to tell it
   */
  public void add(RoundStats round, Consumer<String> messages) {
    rounds.add(round.json());
    if (path == null) {
      return;
    }
    try {
      write(path.toAbsolutePath());
    } catch (IOException e) {
      messages.accept("The statistics could not be written to " + path + " (" + reason(e) + "); the round itself is complete.");
    }
  }

  private static String reason(IOException failure) {
    if (failure instanceof NoSuchFileException) {
      return "there is no such directory";
    }
    String reason = failure instanceof FileSystemException system ? system.getReason() : failure.getMessage();
    return reason == null ? failure.getClass().getSimpleName() : reason;
  }

  private void write(Path target) throws IOException {
    String json =
        new JsonObject()
            .put("command", command)
            .put("pid", pid)
            .put("migration", migration)
            .raw("rounds", rounds.isEmpty() ? "[]" : "[\n  " + String.join(",\n  ", rounds) + "\n]")
            .toString();
    Path directory = Objects.requireNonNullElse(target.getParent(), target);
    Path temporary =
        Files.createTempFile(
            directory, ".stats", ".tmp", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.writeString(temporary, json + "\n", StandardCharsets.UTF_8);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
