package io.pagelift.restorer.file;

import io.pagelift.image.MemFd;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Stat;

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
      // shm_open(3) opens with O_NOFOLLOW, which only an opening by name leaves among the flags.
      return (file.getFlags() & Constants.O_NOFOLLOW) != 0 && named(object)
          ? Reopen.path(object.object(), file)
          : Reopen.again(object, file);
    }
    FileDescriptor original = object.dup();
    original.fcntl(Constants.F_SETFL, file.getFlags() & ~Constants.O_ASYNC);
    original.seek(file.getPosition(), Constants.SEEK_SET);
    return original;
  }

  private static boolean named(FileDescriptor object) {
    try {
      return object.object().startsWith("/") && Stat.ofLink(object.object()).sameFile(object.stat());
    } catch (KernelException e) {
      return false;
    }
  }
}
