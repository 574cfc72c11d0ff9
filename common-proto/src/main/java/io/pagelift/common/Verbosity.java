package io.pagelift.common;

import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The option {@code -v} of every command. Mixed into the root command; subcommands inherit it. */
public final class Verbosity {
  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Log what is done, and show the stack trace of a failure.")
  boolean verbose;

  /** Whether more is to be said. */
  public boolean verbose() {
    return verbose;
  }

  static boolean isFlag(String argument) {
    return argument.equals("-v") || argument.equals("--verbose");
  }
}
