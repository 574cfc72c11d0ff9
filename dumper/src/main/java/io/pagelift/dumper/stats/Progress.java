package io.pagelift.dumper.stats;

import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows on a terminal how far a round is, if it is long enough for anybody to wonder. Nothing is shown where there is no terminal. */
public final class Progress implements AutoCloseable {
  /** 256 MiB: less than a second's work. */
  private static final long LONG_ROUND_PAGES = 65_536;

  private static final int PAGES_PER_MEBIBYTE = 256;
  private static final int UPDATE_MILLIS = 250;

  private final String task;
  private final boolean terminal;
  private long expectedPages;
  private long donePages;
  private @Nullable ProgressBar bar;

  /** Progress of one round. */
  public Progress(int round) {
    task = String.format(Locale.ROOT, "round %d", round);
    terminal = errorIsTerminal();
  }

  private static boolean errorIsTerminal() {
    try {
      String target = FileDescriptor.readLink("/proc/self/fd/2");
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (KernelException closed) {
      return false;
    }
  }

  /** So many more pages will come. */
  public void expect(long pageCount) {
    expectedPages += pageCount;
    if (bar == null && terminal && expectedPages >= LONG_ROUND_PAGES) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setUnit(" MiB", PAGES_PER_MEBIBYTE)
              .setInitialMax(expectedPages)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(UPDATE_MILLIS)
              .clearDisplayOnFinish()
              .build();
      bar.stepTo(donePages);
    } else if (bar != null) {
      bar.maxHint(expectedPages);
    }
  }

  /** So many pages are done. */
  public void done(long pageCount) {
    donePages += pageCount;
    if (bar != null) {
      bar.stepBy(pageCount);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
