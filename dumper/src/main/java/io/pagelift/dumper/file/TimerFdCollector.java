package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.image.TimerFd;
import org.jspecify.annotations.Nullable;

/**
 * Timers as a file, timerfd_create(2). fdinfo gives what is left, whether the time was set as absolute or relative.
 *
 * <p>A periodic timer that has expired and was not read yet does not run: the kernel sets it going again at the next read(2), and
 * fdinfo shows nothing left until then. timerfd_gettime(2) sets it going as read would, ticks counted, so it is asked first.
 */
final class TimerFdCollector implements FileCollector {
  private static final int TFD_TIMER_ABSTIME = 1;
  private static final int CLOCK_REALTIME = 0;
  private static final int CLOCK_REALTIME_ALARM = 8;

  private record Reading(FdInfo info, long dueUnixNanos) {}

  @Override
  public String kind() {
    return "timerfd";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:[timerfd]");
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    FdInfo info = file.facts().info();
    boolean expired = nanos(info.value("it_value")) == 0 && nanos(info.value("it_interval")) != 0;
    if (file.copy() < 0) {
      return;
    }
    if (expired) {
      info = files.afterTimerSetGoing(file);
    }
    file.raw(new Reading(info, dueUnixNanos(info, file.copy(), files)));
  }

  /** When a timer is due that was set to a time of day; 0 for others. Read together with the clock: time goes on in a freeze. */
  private static long dueUnixNanos(FdInfo info, int copy, FrozenFiles files) {
    int clock = (int) info.number("clockid", 10, 0);
    boolean timeOfDay = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
    if (!timeOfDay || (info.number("settime flags", 8, 0) & TFD_TIMER_ABSTIME) == 0) {
      return 0;
    }
    long leftNanos = files.timeLeftNanos(copy);
    return leftNanos == 0 ? 0 : files.inspection().reader().clockNanos(CLOCK_REALTIME) + leftNanos;
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    Reading reading = file.raw() instanceof Reading read ? read : new Reading(file.facts().info(), 0);
    FdInfo info = reading.info;
    return TimerFd.newBuilder()
        .setClock((int) info.number("clockid", 10, 0))
        .setTicks(info.number("ticks", 10, 0))
        .setSettimeFlags((int) info.number("settime flags", 8, 0))
        .setValueNanos(nanos(info.value("it_value")))
        .setIntervalNanos(nanos(info.value("it_interval")))
        .setDueUnixNanos(reading.dueUnixNanos)
        .build();
  }

  /** Nanoseconds of a pair like {@code (1, 500000000)}: seconds and nanoseconds. */
  static long nanos(@Nullable String pair) {
    if (pair == null) {
      return 0;
    }
    int comma = pair.indexOf(',');
    long seconds = Long.parseLong(pair.substring(pair.indexOf('(') + 1, comma).strip());
    long nanos = Long.parseLong(pair.substring(comma + 1, pair.indexOf(')')).strip());
    return seconds * 1_000_000_000L + nanos;
  }
}
