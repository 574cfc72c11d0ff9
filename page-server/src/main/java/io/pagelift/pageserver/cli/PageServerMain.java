package io.pagelift.pageserver.cli;

import io.pagelift.common.CommandRunner;

/** Entry point of {@code page-server}. */
public final class PageServerMain {
  private PageServerMain() {}

  /** Runs the command and exits with its code. */
  public static void main(String[] arguments) {
    System.exit(CommandRunner.run(new PageServerCommand(), arguments));
  }
}
