package io.pagelift.dumper.splice;

import io.pagelift.dumper.memory.PageSet;
import io.pagelift.linux.FileDescriptor;

/**
 * A pipe that holds pages of a target by reference, in ascending order.
 *
 * @param readEnd our end; the target keeps none
 * @param pages which pages
 */
record PagePipe(FileDescriptor readEnd, PageSet pages) implements AutoCloseable {
  @Override
  public void close() {
    readEnd.close();
  }
}
