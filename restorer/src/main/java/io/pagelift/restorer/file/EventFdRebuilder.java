package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.F_SETFL;
import static io.pagelift.linux.Constants.O_CLOEXEC;
import static io.pagelift.linux.Constants.O_NONBLOCK;

import io.pagelift.image.EventFd;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** eventfd(2). */
final class EventFdRebuilder implements FileRebuilder {
  private static final int EFD_SEMAPHORE = 1;

  @Override
  public String kind() {
    return "eventfd";
  }

  @Override
  public void check(OpenFile file) {
    Reopen.state(file, EventFd.parser());
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    EventFd state = Reopen.state(file, EventFd.parser());
    long flags = O_CLOEXEC | O_NONBLOCK | (state.getSemaphore() ? EFD_SEMAPHORE : 0);
    long number = Kernel.check(Kernel.call(SyscallNumbers.EVENTFD2, 0, flags), "eventfd2", "");
    FileDescriptor descriptor = FileDescriptor.own((int) number, "eventfd");
    if (state.getCount() != 0) {
      // The argument of eventfd2 has 32 bits, the counter 64.
      descriptor.writeFully(
          ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(state.getCount()).array());
    }
    descriptor.fcntl(F_SETFL, file.getFlags() & O_NONBLOCK);
    return descriptor;
  }
}
