package io.pagelift.common;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What the programs call themselves. The version comes from the jar; run from class files, it is "development". */
public final class SoftwareVersion implements IVersionProvider {
  @Spec @Nullable CommandSpec spec;

  /** The name of a program and its version for the other end of a connection: {@code pagelift dumper 0.1.0}. */
  public static String of(String program) {
    return "pagelift " + program + " " + version();
  }

  private static String version() {
    String version = SoftwareVersion.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  @Override
  public String[] getVersion() {
    String program = spec == null ? "pagelift" : spec.root().name();
    return new String[] {program + " " + version()};
  }
}
