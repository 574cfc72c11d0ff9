package io.pagelift.restorer.file;

import io.pagelift.image.MemFd;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.Constants;
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
    MemFd state = Reopen.state(file, MemFd.parser());
    FileDescriptor object = context.sharedMemory(state.getSharedMemoryId());
    if (!state.getOriginal()) {
      return Reopen.again(object, file);
    }
    FileDescriptor original = object.dup();
    original.fcntl(Constants.F_SETFL, file.getFlags() & ~Constants.O_ASYNC);
    original.seek(file.getPosition(), Constants.SEEK_SET);
    return original;
  }
}
