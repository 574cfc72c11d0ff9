package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.StoreOptions;
import io.pagelift.wire.Messages;
import io.pagelift.wire.proto.Durability;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say what the store promises and how much it may use. */
final class StoreFlags {
  @Option(
      names = "--durability",
      paramLabel = "LEVEL",
      defaultValue = "full",
      description = {
        "What is done before a round is acknowledged (default: ${DEFAULT-VALUE}): full forces everything to disk and survives the loss of",
        "power; none forces nothing and survives only the end of this program. The acknowledgement says which."
      })
  Durability durability = Durability.FULL;

  @Option(
      names = "--max-store-bytes",
      paramLabel = "BYTES",
      description = {
        "Most bytes that pages and their indexes may take, such as 200G (K, M, G, T: powers of 1024). Rounds that would go beyond are",
        "refused; committed ones stay. Without it only the disk bounds the store."
      })
  @Nullable String maxStoreBytes;

  @Option(
      names = "--index-memory",
      paramLabel = "BYTES",
      description = {
        "Most memory of the deduplication table, such as 16M; a power of two. It remembers a GiB of different pages in 2.8 to 5.7 MiB.",
        "Pages that it has forgotten are stored again. Without it a quarter of the heap, 64 MiB at most."
      })
  @Nullable String indexMemory;

  StoreOptions options() {
    StoreOptions options = StoreOptions.defaults().withDurability(durability);
    String bound = maxStoreBytes;
    if (bound != null) {
      options = options.withMaxStoreBytes(bytes("--max-store-bytes", bound, 1, Long.MAX_VALUE));
    }
    String memory = indexMemory;
    if (memory != null) {
      long most = Runtime.getRuntime().maxMemory() / 2;
      options = options.withIndexMemory(bytes("--index-memory", memory, StoreOptions.MIN_INDEX_BYTES, most));
    }
    return options;
  }

  /** A number of bytes with or without a unit, in a range. */
  private static long bytes(String option, String text, long least, long most) {
    Matcher matcher = Pattern.compile("([0-9]{1,15})([KMGT]?)").matcher(text);
    if (matcher.matches()) {
      int unit = "KMGT".indexOf(matcher.group(2));
      long shift = matcher.group(2).isEmpty() ? 0 : 10L * (unit + 1);
      long number = Long.parseLong(matcher.group(1));
      if (number <= Long.MAX_VALUE >> shift && number << shift >= least && number << shift <= most) {
        return number << shift;
      }
    }
    throw new PageliftException(
        ErrorCategory.USAGE, option + " must be " + least + " to " + most + " bytes, such as 16M, not " + Messages.printable(text));
  }
}
