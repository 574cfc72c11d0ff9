package io.pagelift.linux;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The path, argument and environment arrays of one {@code posix_spawn}, behind a header that the caller uses as it likes. */
final class NativeStrings implements AutoCloseable {
  private static final int POINTER_BYTES = 8;

  private final NativeBuffer memory;
  private final ByteBuffer bytes;
  private final long pathAddress;
  private final long argvAddress;
  private final long environmentAddress;
  private final List<Long> stepPathAddresses = new ArrayList<>();
  private int at;

  NativeStrings(
      int headerBytes, String path, List<String> argv, List<String> environment, SpawnActions actions) {
    memory = NativeBuffer.allocate(headerBytes + size(path, argv, environment, actions));
    bytes = memory.bytes();
    at = headerBytes;
    argvAddress = array(argv);
    environmentAddress = array(environment);
    pathAddress = string(path);
    for (SpawnActions.Step step : actions.steps()) {
      stepPathAddresses.add(string(step.path()));
    }
  }

  private static long size(String path, List<String> argv, List<String> environment, SpawnActions actions) {
    long size = FileNames.encode(path).length + 1L + (argv.size() + environment.size() + 2L) * POINTER_BYTES;
    for (String text : argv) {
      size += FileNames.encode(text).length + 1;
    }
    for (String text : environment) {
      size += FileNames.encode(text).length + 1;
    }
    for (SpawnActions.Step step : actions.steps()) {
      size += FileNames.encode(step.path()).length + 1;
    }
    // Each array starts at a multiple of 8.
    return size + 2 * POINTER_BYTES;
  }

  private long array(List<String> strings) {
    at = (at + POINTER_BYTES - 1) & -POINTER_BYTES;
    int slot = at;
    at += (strings.size() + 1) * POINTER_BYTES;
    long address = memory.address() + slot;
    for (String text : strings) {
      bytes.putLong(slot, string(text));
      slot += POINTER_BYTES;
    }
    return address;
  }

  private long string(String text) {
    byte[] encoded = FileNames.encode(text);
    for (byte b : encoded) {
      if (b == 0) {
        throw new IllegalArgumentException("an argument must not hold a NUL byte");
      }
    }
    long address = memory.address() + at;
    bytes.put(at, encoded);
    at += encoded.length + 1;
    return address;
  }

  long address() {
    return memory.address();
  }

  ByteBuffer bytes() {
    return bytes;
  }

  long pathAddress() {
    return pathAddress;
  }

  long argvAddress() {
    return argvAddress;
  }

  long environmentAddress() {
    return environmentAddress;
  }

  long stepPathAddress(int index) {
    return stepPathAddresses.get(index);
  }

  @Override
  public void close() {
    memory.close();
  }
}
