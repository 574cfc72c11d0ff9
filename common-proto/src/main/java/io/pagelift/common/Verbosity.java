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

  @Option(
      names = "--log-format",
      scope = ScopeType.INHERIT,
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "How log lines look on standard error: text, or json with one object per line (default: ${DEFAULT-VALUE}).")
  QuietLogging.Format logFormat = QuietLogging.Format.TEXT;

  /** Whether more is to be said. */
  public boolean verbose() {
    return verbose;
  }

  /** Whether the arguments ask for JSON; known before they are parsed, because logging begins with the first class. */
  static boolean wantsJson(String[] arguments) {
    for (int i = 0; i < arguments.length; i++) {
      boolean next = arguments[i].equals("--log-format") && i + 1 < arguments.length && arguments[i + 1].equalsIgnoreCase("json");
      if (next || arguments[i].equalsIgnoreCase("--log-format=json")) {
        return true;
      }
    }
    return false;
  }

  static boolean isFlag(String argument) {
    return argument.equals("-v") || argument.equals("--verbose");
  }
}
