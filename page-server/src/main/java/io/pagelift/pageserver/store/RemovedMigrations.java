package io.pagelift.pageserver.store;

import io.pagelift.store.StoreLayout;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Directories of migrations that were removed: they have lost their name, in one step, before their files go one by one. */
final class RemovedMigrations {
  private RemovedMigrations() {}

  /** Deletes what a removal that was cut off has left. Returns what was deleted. */
  static List<Path> deleteAll(StoreLayout layout) throws IOException {
    List<Path> removed = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(layout.migrationsDirectory())) {
      for (Path entry : entries) {
        if (StoreLayout.isRemoved(entry)) {
          removed.add(entry);
        }
      }
    }
    for (Path directory : removed) {
      delete(directory);
    }
    return removed;
  }

  /** Deletes a directory and its files, if it is there. */
  static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
