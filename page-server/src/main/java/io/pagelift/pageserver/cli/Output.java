package io.pagelift.pageserver.cli;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** Standard output of a command that picocli runs. */
final class Output {
  private Output() {}

  static PrintWriter of(@Nullable CommandSpec spec) {
    if (spec == null) {
      throw new IllegalStateException("not run by picocli");
    }
    return spec.commandLine().getOut();
  }
}
