package io.pagelift.dumper.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.common.SoftwareVersion;
import io.pagelift.dumper.tree.CollectOptions;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** What may be carried over and how: the options that dump has, and check to judge a tree as dump would. */
final class CarryOptions {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([KMGkmg]?)");

  @Option(
      names = "--shell-job",
      description = "The session or process group of the root belongs to a shell outside of the tree.")
  boolean shellJob;

  @Option(
      names = "--link-remap",
      description = "Open files that lost their name but have another one get a temporary name, .pagelift-link-*, beside the lost one.")
  boolean linkRemap;

  @Option(
      names = "--ghost-limit",
      paramLabel = "SIZE",
      defaultValue = "1M",
      description = "Largest unlinked file, in bytes on disk, whose contents may travel; suffixes K, M, G (default: ${DEFAULT-VALUE}).")
  String ghostLimit = "1M";

  @Option(
      names = "--ghost-fiemap",
      negatable = true,
      description = "Accepted for scripts made for CRIU; holes of unlinked files are found by SEEK_HOLE in any case.")
  boolean ghostFiemap;

  @Option(
      names = "--keyrings",
      paramLabel = "MODE",
      description = "Keyrings with keys of the tree's own: refuse the dump, or drop them: the copy gets the restorer's (default: ${DEFAULT-VALUE}).")
  KeyringMode keyrings = KeyringMode.REFUSE;

  /** What --keyrings takes. */
  enum KeyringMode {
    REFUSE,
    DROP
  }

  /** Checks and converts. */
  CollectOptions checked() {
    return new CollectOptions(shellJob, linkRemap, bytes(ghostLimit), keyrings == KeyringMode.DROP, SoftwareVersion.of("dumper"));
  }

  private static long bytes(String size) {
    Matcher matcher = SIZE.matcher(size);
    if (!matcher.matches()) {
      throw new PageliftException(
          ErrorCategory.USAGE, "--ghost-limit is a number of bytes, or one with the suffix K, M or G, not '" + size + "'.");
    }
    int shift =
        switch (matcher.group(2).toUpperCase(Locale.ROOT)) {
          case "K" -> 10;
          case "M" -> 20;
          case "G" -> 30;
          default -> 0;
        };
    return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << shift);
  }
}
