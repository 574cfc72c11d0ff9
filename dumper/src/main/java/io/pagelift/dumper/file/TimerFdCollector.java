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
    if (expired && file.copy() >= 0) {
      file.raw(files.afterTimerSetGoing(file));
    }
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    FdInfo info = file.raw() instanceof FdInfo later ? later : file.facts().info();
    return TimerFd.newBuilder()
        .setClock((int) info.number("clockid", 10, 0))
        .setTicks(info.number("ticks", 10, 0))
        .setSettimeFlags((int) info.number("settime flags", 8, 0))
        .setValueNanos(nanos(info.value("it_value")))
        .setIntervalNanos(nanos(info.value("it_interval")))
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
