package io.pagelift.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

class CommandRunnerTest {
  private final PrintStream standardError = System.err;
  private final ByteArrayOutputStream captured = new ByteArrayOutputStream();

  /** A command that fails as it is told. */
  @Command(name = "tool", mixinStandardHelpOptions = true, versionProvider = SoftwareVersion.class)
  static final class Tool implements Callable<Integer> {
    @Mixin Verbosity verbosity = new Verbosity();

    @Option(names = "--count")
    int count;

    private final RuntimeException failure;

    Tool(RuntimeException failure) {
      this.failure = failure;
    }

    @Override
    public Integer call() {
      throw failure;
    }
  }

  private int run(RuntimeException failure, String... arguments) {
    System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    return CommandRunner.run(
        new Tool(failure),
        other -> other instanceof IllegalStateException ? new PageliftException(ErrorCategory.REFUSED, "translated", other) : null,
        arguments);
  }

  @AfterEach
  void restore() {
    System.setErr(standardError);
    System.clearProperty(QuietLogging.LEVEL_PROPERTY);
  }

  private String said() {
    return captured.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aFailureIsOneLineAndItsExitCode() {
    assertThat(run(new PageliftException(ErrorCategory.REMOTE, "the server is gone; start it"))).isEqualTo(4);
    assertThat(said()).isEqualTo("tool: the server is gone; start it\n");
  }

  @Test
  void theStackTraceComesOnlyWhenAskedFor() {
    assertThat(run(new PageliftException(ErrorCategory.CORRUPT, "damaged"), "-v")).isEqualTo(5);
    assertThat(said()).startsWith("tool: damaged\n").contains("\tat io.pagelift");
  }

  @Test
  void whatTheProgramCanNameIsTranslated() {
    assertThat(run(new IllegalStateException("kernel"))).isEqualTo(3);
    assertThat(said()).isEqualTo("tool: translated\n");
  }

  @Test
  void whatNobodyForesawIsAnInternalErrorInOneLine() {
    assertThat(run(new IllegalArgumentException("two\nlines"))).isEqualTo(1);
    assertThat(said()).isEqualTo(
        "tool: internal error (java.lang.IllegalArgumentException: two lines); run it again with -v for details\n");
  }

  @Test
  void aWrongCommandLineIsOneLineAndTwo() {
    assertThat(run(new IllegalStateException("not reached"), "--count=many")).isEqualTo(2);
    assertThat(said()).contains("--count").endsWith("; see 'tool --help'\n").hasLineCount(1);
  }
}
