package io.pagelift.tests.harness;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the checkout is: the programs in {@code bin}, the victims' sources, the directory for what tests leave behind. */
public final class Home {
  private Home() {}

  /** The root of the checkout: the system property {@code pagelift.home}, or the nearest directory above with {@code bin/build}. */
  public static Path root() {
    String given = System.getProperty("pagelift.home");
    if (given != null) {
      return Path.of(given).toAbsolutePath().normalize();
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isRegularFile(at.resolve("bin/build"))) {
        return at;
      }
    }
    throw new IllegalStateException("No checkout above " + Path.of("").toAbsolutePath() + "; set the property pagelift.home.");
  }

  /** The start script of a program: page-server, dumper or restorer. */
  public static Path program(String name) {
    Path script = root().resolve("bin").resolve(name);
    if (!Files.isExecutable(script)) {
      throw new IllegalStateException(script + " is missing; is " + root() + " a whole checkout?");
    }
    return script;
  }

  static Path victimSources() {
    return root().resolve("tests/src/test/c");
  }

  static Path scratch() {
    return root().resolve("tests/target");
  }
}
