package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_CLOEXEC;
import static io.pagelift.linux.Constants.O_NONBLOCK;
import static io.pagelift.linux.Constants.SIGNAL_SET_BYTES;

import io.pagelift.image.OpenFile;
import io.pagelift.image.SignalFd;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;

/** signalfd(2). It gives whoever reads it that reader's own signals, so it does not matter who makes it. */
final class SignalFdRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "signalfd";
  }

  @Override
  public void check(OpenFile file) {
    Reopen.state(file, SignalFd.parser());
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    try (NativeBuffer mask = NativeBuffer.allocate(SIGNAL_SET_BYTES)) {
      mask.bytes().putLong(0, Reopen.state(file, SignalFd.parser()).getMask());
      long flags = O_CLOEXEC | (file.getFlags() & O_NONBLOCK);
      long number =
          Kernel.check(
              Kernel.call(SyscallNumbers.SIGNALFD4, -1, mask.address(), SIGNAL_SET_BYTES, flags), "signalfd4", "");
      return FileDescriptor.own((int) number, "signalfd");
    }
  }
}
