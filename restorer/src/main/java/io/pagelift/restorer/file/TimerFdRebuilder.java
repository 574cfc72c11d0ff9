package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_CLOEXEC;
import static io.pagelift.linux.Constants.O_NONBLOCK;

import io.pagelift.image.OpenFile;
import io.pagelift.image.TimerFd;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;

/** timerfd_create(2). Started with what was left, just before the tree runs. */
final class TimerFdRebuilder implements FileRebuilder {
  private static final long NANOS = 1_000_000_000L;
  private static final int TFD_TIMER_ABSTIME = 1;

  /** {@code _IOW('T', 0, __u64)} of linux/timerfd.h: sets the expirations that were not read yet. */
  private static final long TFD_IOC_SET_TICKS = 0x40085400L;

  @Override
  public String kind() {
    return "timerfd";
  }

  @Override
  public void check(OpenFile file) {
    Reopen.state(file, TimerFd.parser());
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    TimerFd state = Reopen.state(file, TimerFd.parser());
    long flags = O_CLOEXEC | (file.getFlags() & O_NONBLOCK);
    long number =
        Kernel.check(
            Kernel.call(SyscallNumbers.TIMERFD_CREATE, state.getClock(), flags),
            "timerfd_create",
            "clock " + state.getClock());
    return FileDescriptor.own((int) number, "timerfd");
  }

  @Override
  public void arm(OpenFile file, FileDescriptor descriptor, FileContext context) {
    TimerFd state = Reopen.state(file, TimerFd.parser());
    try (NativeBuffer buffer = NativeBuffer.allocate(40)) {
      long value = state.getValueNanos();
      if (value == 0 && state.getTicks() != 0) {
        // A periodic timer that has expired stands still until that is read. A new one can't be put into that state; it is
        // given a whole interval instead, and what is to be read comes below.
        value = state.getIntervalNanos();
      }
      if (value != 0) {
        buffer.bytes().putLong(0, state.getIntervalNanos() / NANOS).putLong(8, state.getIntervalNanos() % NANOS);
        long due = due(state, value);
        buffer.bytes().putLong(16, due / NANOS).putLong(24, due % NANOS);
        Kernel.check(
            Kernel.call(SyscallNumbers.TIMERFD_SETTIME, descriptor.number(), state.getSettimeFlags(), buffer.address(), 0),
            "timerfd_settime",
            "timerfd");
      }
      if (state.getTicks() != 0) {
        buffer.bytes().putLong(32, state.getTicks());
        descriptor.ioctl(TFD_IOC_SET_TICKS, buffer.address() + 32);
      }
    }
  }

  /** What the timer is set to. A time of day stays what it is; any other absolute time is moved, so that as much is left as was. */
  private static long due(TimerFd state, long leftNanos) {
    if ((state.getSettimeFlags() & TFD_TIMER_ABSTIME) == 0) {
      return leftNanos;
    }
    if (state.getDueUnixNanos() != 0) {
      return state.getDueUnixNanos();
    }
    try (NativeBuffer time = NativeBuffer.allocate(16)) {
      Kernel.check(Kernel.call(SyscallNumbers.CLOCK_GETTIME, state.getClock(), time.address()), "clock_gettime", "clock " + state.getClock());
      return time.bytes().getLong(0) * NANOS + time.bytes().getLong(8) + leftNanos;
    }
  }
}
