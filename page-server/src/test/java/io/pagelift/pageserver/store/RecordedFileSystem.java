package io.pagelift.pageserver.store;

import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Set;

/** The host's file system, with everything that happens below one directory told to a {@link ModelDisk}. */
final class RecordedFileSystem extends FileSystem {
  private final Path directory;
  private final RecordedProvider provider;

  RecordedFileSystem(Path directory, ModelDisk disk) {
    this.directory = directory;
    this.provider = new RecordedProvider(this, disk);
  }

  /** The recorded directory. */
  Path directory() {
    return new RecordedPath(this, directory);
  }

  /** A path as the model names it: relative to the recorded directory. */
  String name(Path path) {
    return directory.relativize(RecordedPath.real(path).normalize()).toString();
  }

  @Override
  public FileSystemProvider provider() {
    return provider;
  }

  @Override
  public void close() {}

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public String getSeparator() {
    return "/";
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    return List.of();
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    return List.of();
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return directory.getFileSystem().supportedFileAttributeViews();
  }

  @Override
  public Path getPath(String first, String... more) {
    return new RecordedPath(this, directory.getFileSystem().getPath(first, more));
  }

  @Override
  public PathMatcher getPathMatcher(String pattern) {
    throw new UnsupportedOperationException();
  }

  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    return directory.getFileSystem().getUserPrincipalLookupService();
  }

  @Override
  public WatchService newWatchService() {
    throw new UnsupportedOperationException();
  }
}
