package io.pagelift.restorer.file;

import io.pagelift.image.MemFd;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;

/** Descriptors of shared memory objects: memfd_create(2), files on tmpfs. The object itself is made by the memory side. */
final class MemFdRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "memfd";
  }

  @Override
  public void check(OpenFile file) {
    Reopen.state(file, MemFd.parser());
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    return Reopen.again(context.sharedMemory(Reopen.state(file, MemFd.parser()).getSharedMemoryId()), file);
  }
}
