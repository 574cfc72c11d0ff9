package io.pagelift.tls;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Which migrations the holder of a certificate may write, read or restore: rights on names that begin with a prefix.
 *
 * <p>They stand in the certificate as URIs among its alternative names, {@code urn:pagelift:RIGHT:PREFIX}, an empty prefix for all
 * names. So the authority signs them, and a server needs no list of clients. A certificate without such a URI grants nothing.
 *
 * @param grants each gives one right; none forbids
 */
public record Grants(List<Grant> grants) {
  private static final String URI_START = "urn:pagelift:";
  private static final Pattern PREFIX = Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]{0,127})?");

  /** What can be allowed. */
  public enum Right {
    /** Send rounds, and see what of the migration is held. */
    WRITE,
    /** See that the migration exists and which pages are held, but no contents. */
    READ,
    /** Everything that {@link #READ} allows, and the contents: pages and image. */
    RESTORE;

    /** As it stands in a certificate and on a command line. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** One right on all names with a prefix. */
  public record Grant(Right right, String prefix) {
    /** As it stands in a certificate. */
    public String uri() {
      return URI_START + right.text() + ":" + prefix;
    }
  }

  /** Copies the list. */
  public Grants {
    grants = List.copyOf(grants);
  }

  /** All rights on all names. */
  public static Grants everything() {
    return new Grants(Arrays.stream(Right.values()).map(right -> new Grant(right, "")).toList());
  }

  /** What the URIs of a certificate say. Those of others are passed over; an own one that cannot be understood grants nothing. */
  static Grants ofUris(List<String> uris) {
    List<Grant> grants = new ArrayList<>();
    for (String uri : uris) {
      if (uri.startsWith(URI_START)) {
        String[] parts = uri.substring(URI_START.length()).split(":", -1);
        for (Right right : Right.values()) {
          if (parts.length == 2 && right.text().equals(parts[0]) && PREFIX.matcher(parts[1]).matches()) {
            grants.add(new Grant(right, parts[1]));
          }
        }
      }
    }
    return new Grants(grants);
  }

  /**
   * Reads what a person writes: {@code [RIGHT=]PREFIX} separated by commas, without right for all of them; empty for all rights on
   * all names.
   *
   * @throws PageliftException USAGE
   */
  public static Grants parse(String text) {
    if (text.isEmpty()) {
      return everything();
    }
    List<Grant> grants = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      int equals = part.indexOf('=');
      String prefix = part.substring(equals + 1);
      if (!PREFIX.matcher(prefix).matches() || (equals < 0 && prefix.isEmpty())) {
        throw new PageliftException(
            ErrorCategory.USAGE,
            "'" + part + "' is no grant: write PREFIX or RIGHT=PREFIX, where names of migrations can begin with PREFIX");
      }
      for (Right right : equals < 0 ? List.of(Right.values()) : List.of(right(part.substring(0, equals)))) {
        grants.add(new Grant(right, prefix));
      }
    }
    return new Grants(grants);
  }

  private static Right right(String text) {
    return Arrays.stream(Right.values())
        .filter(right -> right.text().equals(text))
        .findFirst()
        .orElseThrow(
            () -> new PageliftException(ErrorCategory.USAGE, "there is no right '" + text + "'; choose write, read or restore"));
  }

  /** Whether a right on a migration is given. */
  public boolean allow(Right right, String migration) {
    return grants.stream()
        .anyMatch(
            grant ->
                migration.startsWith(grant.prefix())
                    && (grant.right() == right || (right == Right.READ && grant.right() == Right.RESTORE)));
  }

  /** For people: {@code write web-*, restore web-*}. */
  @Override
  public String toString() {
    if (grants.isEmpty()) {
      return "nothing";
    }
    return String.join(", ", grants.stream().map(grant -> grant.right().text() + " " + grant.prefix() + "*").toList());
  }
}
