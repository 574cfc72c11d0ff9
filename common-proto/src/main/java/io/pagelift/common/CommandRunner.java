package io.pagelift.common;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * Runs a command line the way all three programs do: a failure is one sentence on standard error and an exit code of {@link
 * ErrorCategory}; the stack trace is shown only with {@code -v}.
 *
 * <p>A command class declares {@code mixinStandardHelpOptions = true, versionProvider = SoftwareVersion.class} and, once at the root,
 * {@code @Mixin Verbosity}.
 */
public final class CommandRunner {
  private final Object command;
  private final Function<Throwable, @Nullable PageliftException> translator;

  private CommandRunner(Object command, Function<Throwable, @Nullable PageliftException> translator) {
    this.command = command;
    this.translator = translator;
  }

  /** Runs the command and gives its exit code. */
  public static int run(Object command, String... arguments) {
    return run(command, failure -> null, arguments);
  }

  /**
   * Runs the command and gives its exit code.
   *
   * @param translator says what a failure that is not a {@link PageliftException} means to the user; null when it does not know
   */
  public static int run(Object command, Function<Throwable, @Nullable PageliftException> translator, String... arguments) {
    return new CommandRunner(command, translator).run(arguments);
  }

  private int run(String[] arguments) {
    boolean verbose = Arrays.stream(arguments).anyMatch(Verbosity::isFlag);
    if (verbose) {
      System.setProperty(QuietLogging.LEVEL_PROPERTY, "DEBUG");
    }
    if (Verbosity.wantsJson(arguments)) {
      System.setProperty(QuietLogging.FORMAT_PROPERTY, QuietLogging.Format.JSON.name());
    }
    CommandLine line = new CommandLine(command);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler((failure, args) -> usageFailure(failure, verbose));
    line.setExecutionExceptionHandler((failure, failed, parsed) -> failure(line, failure, verbose));
    return line.execute(arguments);
  }

  private static int usageFailure(ParameterException failure, boolean verbose) {
    CommandLine failed = failure.getCommandLine();
    PrintWriter err = failed.getErr();
    String name = failed.getCommandSpec().qualifiedName();
    if (failure.getCause() instanceof PageliftException reason) {
      err.println(name + ": " + reason.getMessage());
    } else {
      err.println(name + ": " + oneLine(failure.getMessage()) + "; see '" + name + " --help'");
    }
    if (verbose) {
      failure.printStackTrace(err);
    }
    return ErrorCategory.USAGE.exitCode();
  }

  private int failure(CommandLine line, Throwable failure, boolean verbose) {
    PageliftException known = failure instanceof PageliftException own ? own : translator.apply(failure);
    PrintWriter err = line.getErr();
    String name = line.getCommandName();
    if (known != null) {
      err.println(name + ": " + known.getMessage());
    } else {
      err.println(name + ": internal error (" + oneLine(failure.toString()) + ")" + (verbose ? "" : "; run it again with -v for details"));
    }
    if (verbose) {
      failure.printStackTrace(err);
    }
    err.flush();
    return known == null ? ErrorCategory.INTERNAL.exitCode() : known.category().exitCode();
  }

  private static String oneLine(@Nullable String text) {
    return String.valueOf(text).strip().replaceAll("\\s*\\R\\s*", " ");
  }
}
