package io.pagelift.pageserver.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A file whose writes and forces are told to the model. Its locks hold nothing, so that a store that was "killed" has none. */
final class RecordedChannel extends FileChannel {
  private final FileChannel file;
  private final ModelDisk disk;
  private final String name;

  RecordedChannel(FileChannel file, ModelDisk disk, String name) {
    this.file = file;
    this.disk = disk;
    this.name = name;
  }

  @Override
  public void force(boolean metaData) throws IOException {
    disk.force(name);
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    int written = write(source, file.position());
    file.position(file.position() + written);
    return written;
  }

  @Override
  public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
    int total = 0;
    for (int i = offset; i < offset + length; i++) {
      total += sources[i].remaining();
    }
    ByteBuffer all = ByteBuffer.allocate(total);
    for (int i = offset; i < offset + length; i++) {
      all.put(sources[i]);
    }
    return write(all.flip());
  }

  @Override
  public int write(ByteBuffer source, long position) throws IOException {
    byte[] bytes = new byte[source.remaining()];
    source.get(bytes);
    int written = file.write(ByteBuffer.wrap(bytes), position);
    disk.write(name, position, bytes);
    return written;
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    file.truncate(size);
    disk.cut(name, size);
    return this;
  }

  @Override
  public FileLock tryLock(long position, long size, boolean shared) {
    return new FileLock(this, position, size, shared) {
      @Override
      public boolean isValid() {
        return true;
      }

      @Override
      public void release() {}
    };
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) {
    return tryLock(position, size, shared);
  }

  @Override
  public int read(ByteBuffer destination) throws IOException {
    return file.read(destination);
  }

  @Override
  public long read(ByteBuffer[] destinations, int offset, int length) throws IOException {
    return file.read(destinations, offset, length);
  }

  @Override
  public int read(ByteBuffer destination, long position) throws IOException {
    return file.read(destination, position);
  }

  @Override
  public long position() throws IOException {
    return file.position();
  }

  @Override
  public FileChannel position(long newPosition) throws IOException {
    file.position(newPosition);
    return this;
  }

  @Override
  public long size() throws IOException {
    return file.size();
  }

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
    return file.transferTo(position, count, target);
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  protected void implCloseChannel() throws IOException {
    file.close();
  }
}
