package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where everything lies in a store directory.
 *
 * <pre>
 * DIR/STORE                                 what this directory is: magic, format version
 * DIR/lock                                  locked by the one process that writes
 * DIR/readers                               locked, shared, by programs that read beside it
 * DIR/control                               socket of the process that writes
 * DIR/segments/00000001.pages               raw pages, page i at byte 4096 * i
 * DIR/segments/00000001.index               16 bytes per page: hash, checksum, flags
 * DIR/migrations/NAME/00000001.round        manifest of round 1
 * DIR/migrations/NAME/00000001.tree.blob    blob "tree" of round 1
 * DIR/migrations/NAME/00000001.handover     who may run the image of round 1, see HandoverFile
 * DIR/migrations/NAME/*.part                not committed; dropped at the next start
 * DIR/migrations/.NAME.removed              being deleted; dropped at the next start
 * </pre>
 *
 * @param directory the store directory
 */
public record StoreLayout(Path directory) {
  /** Bytes of one page, whatever the hardware says: the unit of every offset in the store. */
  public static final int PAGE_BYTES = 4096;

  /** Suffix of files that are not committed yet. */
  public static final String PART_SUFFIX = ".part";

  private static final String REMOVED_SUFFIX = ".removed";

  /** Longest name of a migration. */
  public static final int MAX_NAME_LENGTH = 128;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final Pattern BLOB_NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");
  private static final Pattern MANIFEST = Pattern.compile("([0-9]{8})\\.round");
  private static final Pattern BLOB = Pattern.compile("([0-9]{8})\\.[a-z0-9-]+\\.blob");
  private static final Pattern SEGMENT = Pattern.compile("([0-9]{8})\\.pages");
  private static final Pattern INDEX = Pattern.compile("([0-9]{8})\\.index");

  /** The file that says that this directory is a page store. */
  public Path storeFile() {
    return directory.resolve("STORE");
  }

  /** The file that the writing process locks. */
  public Path lockFile() {
    return directory.resolve("lock");
  }

  /** The file whose lock programs share that read the store without the server, see {@link ReaderLock}. */
  public Path readersFile() {
    return directory.resolve("readers");
  }

  /** The socket on which the process that has the store takes commands of this host. */
  public Path controlSocket() {
    return directory.resolve("control");
  }

  /** The directory of segments and their indexes. */
  public Path segmentsDirectory() {
    return directory.resolve("segments");
  }

  /** The directory that has one directory per migration. */
  public Path migrationsDirectory() {
    return directory.resolve("migrations");
  }

  /** Raw pages of a segment; segments count from 1. */
  public Path segmentFile(int segment) {
    return segmentsDirectory().resolve(number(segment) + ".pages");
  }

  /** The index of a segment. */
  public Path indexFile(int segment) {
    return segmentsDirectory().resolve(number(segment) + ".index");
  }

  /** The directory of a migration. Throws a usage error for a name that is not allowed. */
  public Path migrationDirectory(String name) {
    return migrationsDirectory().resolve(checkedName(name));
  }

  /** Where the directory of a migration goes when it is removed: no migration can have this name. */
  public Path removedDirectory(String name) {
    return migrationsDirectory().resolve("." + checkedName(name) + REMOVED_SUFFIX);
  }

  /** Whether a directory is one of a removed migration. */
  public static boolean isRemoved(Path directory) {
    String name = String.valueOf(directory.getFileName());
    return name.startsWith(".") && name.endsWith(REMOVED_SUFFIX);
  }

  /** The manifest of a round; rounds count from 1. */
  public Path manifestFile(String name, int round) {
    return migrationDirectory(name).resolve(number(round) + ".round");
  }

  /** A blob of a round. */
  public Path blobFile(String name, int round, String blob) {
    return migrationDirectory(name).resolve(number(round) + "." + checkedBlobName(blob) + ".blob");
  }

  /** What was decided about the image of a round. */
  public Path handoverFile(String name, int round) {
    return migrationDirectory(name).resolve(number(round) + ".handover");
  }

  /** The temporary twin of a file that is not committed yet. */
  public static Path partOf(Path file) {
    return file.resolveSibling(file.getFileName() + PART_SUFFIX);
  }

  /** Whether a migration may have this name. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** The name itself if it may name a migration, else a usage error. */
  public static String checkedName(String name) {
    if (!isName(name)) {
      throw new PageliftException(
          ErrorCategory.USAGE,
          "The migration name "
              + quoted(name)
              + " is not allowed; use at most 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit.");
    }
    return name;
  }

  /** Whether a blob may have this name: at most 32 of a-z, 0-9 and the hyphen. */
  public static boolean isBlobName(String blob) {
    return BLOB_NAME.matcher(blob).matches();
  }

  /** The name itself if it may name a blob, else a usage error. */
  public static String checkedBlobName(String blob) {
    if (!isBlobName(blob)) {
      throw new PageliftException(
          ErrorCategory.USAGE, "The blob name " + quoted(blob) + " is not allowed; use at most 32 of a-z 0-9 -.");
    }
    return blob;
  }

  /** The round of a manifest's file name; empty for any other name. */
  public static OptionalInt manifestRound(Path file) {
    return numberIn(MANIFEST, file);
  }

  /** The round of a blob's file name; empty for any other name. */
  public static OptionalInt blobRound(Path file) {
    return numberIn(BLOB, file);
  }

  /** The segment of a page file's name; empty for any other name. */
  public static OptionalInt segmentNumber(Path file) {
    return numberIn(SEGMENT, file);
  }

  /** The segment of an index file's name; empty for any other name. */
  public static OptionalInt indexNumber(Path file) {
    return numberIn(INDEX, file);
  }

  private static OptionalInt numberIn(Pattern pattern, Path file) {
    Matcher matcher = pattern.matcher(String.valueOf(file.getFileName()));
    if (!matcher.matches()) {
      return OptionalInt.empty();
    }
    int value = Integer.parseInt(matcher.group(1));
    return value == 0 ? OptionalInt.empty() : OptionalInt.of(value);
  }

  private static String number(int value) {
    if (value < 1 || value > 99_999_999) {
      throw new IllegalArgumentException("number out of range 1..99999999: " + value);
    }
    return String.format(Locale.ROOT, "%08d", value);
  }

  /** A name from outside, fit for one line of a message: control characters replaced, cut at 64 characters. */
  static String quoted(String text) {
    String cut = text.length() > 64 ? text.substring(0, 64) + "..." : text;
    return "'" + cut.replaceAll("\\p{Cntrl}", "?") + "'";
  }
}
