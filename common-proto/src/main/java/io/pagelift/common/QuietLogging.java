package io.pagelift.common;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.time.Instant;

/**
 * Logging to standard error, warnings and errors only, set up in code: no configuration file is searched for or parsed, which would
 * cost a short command a quarter of its start.
 *
 * <p>The system property {@value #LEVEL_PROPERTY} (TRACE, DEBUG, INFO, WARN, ERROR, OFF) changes the level of Pagelift's own loggers;
 * {@code -v} sets it to DEBUG. Logback finds this class through its service file.
 */
public final class QuietLogging extends ContextAwareBase implements Configurator {
  /** Name of the system property with the level. */
  public static final String LEVEL_PROPERTY = "pagelift.log";

  /** Name of the system property with the {@link Format}. */
  static final String FORMAT_PROPERTY = "pagelift.log.format";

  /** How a line looks. */
  enum Format {
    /** For people. */
    TEXT,
    /** One JSON object, for programs. */
    JSON
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    boolean json = Format.JSON.name().equals(System.getProperty(FORMAT_PROPERTY));
    Encoder<ILoggingEvent> encoder = json ? jsonEncoder() : lineEncoder(context);
    encoder.setContext(context);
    encoder.start();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    context.getLogger("ROOT").addAppender(appender);
    context.getLogger("ROOT").setLevel(Level.WARN);
    // It warns on a host whose only network is the loopback, where nothing is wrong.
    context.getLogger("io.netty.util.internal.MacAddressUtil").setLevel(Level.ERROR);
    context.getLogger("io.pagelift").setLevel(Level.toLevel(System.getProperty(LEVEL_PROPERTY), Level.WARN));
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  private static Encoder<ILoggingEvent> lineEncoder(LoggerContext context) {
    LineLayout layout = new LineLayout();
    layout.setContext(context);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setLayout(layout);
    return encoder;
  }

  private static Encoder<ILoggingEvent> jsonEncoder() {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setWithContext(false);
    encoder.setWithSequenceNumber(false);
    encoder.setWithNanoseconds(false);
    // The arguments one by one would be a second place to keep page contents out of.
    encoder.setWithArguments(false);
    encoder.setWithMessage(false);
    encoder.setWithFormattedMessage(true);
    return encoder;
  }

  /** {@code 2026-11-21T23:50:10.066Z WARN Session: message}. */
  private static final class LineLayout extends LayoutBase<ILoggingEvent> {
    @Override
    public String doLayout(ILoggingEvent event) {
      String logger = event.getLoggerName();
      StringBuilder line = new StringBuilder(160);
      line.append(Instant.ofEpochMilli(event.getTimeStamp())).append(' ').append(event.getLevel()).append(' ');
      line.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
      line.append(event.getFormattedMessage()).append('\n');
      IThrowableProxy thrown = event.getThrowableProxy();
      if (thrown != null) {
        line.append(ThrowableProxyUtil.asString(thrown));
      }
      return line.toString();
    }
  }
}
