package io.pagelift.pageserver.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/** Files and directories that only their owner may read: they hold the memory of other programs. */
final class PrivateFiles {
  private static final FileAttribute<?> FILE_0600 =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<?> DIRECTORY_0700 =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final Set<StandardOpenOption> CREATE =
      EnumSet.of(
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.READ,
          StandardOpenOption.WRITE);

  private PrivateFiles() {}

  /** Makes an empty file with mode 0600, in place of one that exists. */
  static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, CREATE, FILE_0600);
  }

  /** Makes an empty file with mode 0600 unless it exists. */
  static Path createIfAbsent(Path file) throws IOException {
    try {
      return Files.createFile(file, FILE_0600);
    } catch (FileAlreadyExistsException e) {
      return file;
    }
  }

  static FileChannel openForWriting(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /** Makes a directory with mode 0700, and those above it, unless it exists. Returns whether it made it. */
  static boolean makeDirectory(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return false;
    }
    Path parent = directory.toAbsolutePath().getParent();
    if (parent != null) {
      makeDirectory(parent);
    }
    try {
      Files.createDirectory(directory, DIRECTORY_0700);
      return true;
    } catch (FileAlreadyExistsException e) {
      if (Files.isDirectory(directory)) {
        return false;
      }
      throw e;
    } catch (NoSuchFileException e) {
      // What mkdir(2) says on file systems such as /proc, although the directory above is there.
      throw new FileSystemException(directory.toString(), null, directory + " cannot be made");
    }
  }

  /** Writes all bytes at a place in a file. */
  static void writeFully(FileChannel channel, ByteBuffer bytes, long offset) throws IOException {
    long at = offset;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  /** Gives a finished and forced file its name. Durable only after {@link StableStorage#forceDirectory}. */
  static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }
}
