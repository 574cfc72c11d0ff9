package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.keys.KeyDirectory;
import io.pagelift.tls.Grants;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code page-server keygen --out DIR --host NAME --client NAME}: an authority and its certificates. */
@Command(
    name = "keygen",
    mixinStandardHelpOptions = true,
    description = "Makes an authority, and certificates for a page-server and its clients; or revokes them.",
    footer = {
      "",
      "  page-server keygen --out keys --host dest.example --client dumper1 --client web:write=web-,restore=web-",
      "  page-server --tls=keys/server ...         dumper pre-dump --tls=keys/dumper1 ...",
      "  page-server keygen --out keys --revoke dumper1",
      "",
      "Each directory of a certificate is complete: copy it to the host that uses it. DIR/ca stays."
    })
final class KeygenCommand implements Callable<Integer> {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9.:-]{1,253}");
  private static final int MAX_DAYS = 3650;

  @Spec @Nullable CommandSpec spec;

  @Option(names = "--out", paramLabel = "DIR", required = true, description = "Directory of the keys; made when it does not exist.")
  Path directory = Path.of("");

  @Option(
      names = "--host",
      paramLabel = "NAME|ADDRESS",
      description = "Name or address under which clients reach the page-server; again for each one. Makes its certificate.")
  List<String> hosts = new ArrayList<>();

  @Option(
      names = "--client",
      paramLabel = "NAME[:GRANT,...]",
      description =
          "Makes a certificate for a client. A GRANT is PREFIX or RIGHT=PREFIX with RIGHT write, read or restore: what it may do with"
              + " migrations whose name begins so. Without grants: everything.")
  List<String> clients = new ArrayList<>();

  @Option(names = "--revoke", paramLabel = "NAME", description = "Puts a client's certificate on the revocation list.")
  List<String> revoked = new ArrayList<>();

  @Option(names = "--days", paramLabel = "N", defaultValue = "365", description = "How long certificates are valid (default: ${DEFAULT-VALUE}).")
  int days = 365;

  @Option(names = "--overwrite", description = "Revoke and replace certificates that exist.")
  boolean overwrite;

  @Override
  public Integer call() {
    if (hosts.isEmpty() && clients.isEmpty() && revoked.isEmpty()) {
      throw usage("nothing to do: name a --host, a --client or what to --revoke");
    }
    if (days < 1 || days > MAX_DAYS) {
      throw usage("--days must be 1 to " + MAX_DAYS + ", not " + days);
    }
    hosts.forEach(host -> check(HOST, host, "--host"));
    revoked.forEach(name -> check(NAME, name, "--revoke"));
    PrintWriter out = Output.of(spec);
    new KeyDirectory(directory, out::println).make(hosts, grants(), revoked, Duration.ofDays(days), overwrite);
    out.flush();
    return 0;
  }

  private Map<String, Grants> grants() {
    Map<String, Grants> grants = new LinkedHashMap<>();
    for (String client : clients) {
      int colon = client.indexOf(':');
      String name = colon < 0 ? client : client.substring(0, colon);
      check(NAME, name, "--client");
      if (name.equals("server") || name.equals("ca")) {
        throw usage("a client cannot be called '" + name + "': that directory is not a client's");
      }
      if (colon == client.length() - 1) {
        throw usage("the grants of --client " + name + " are missing after the colon");
      }
      if (grants.put(name, Grants.parse(colon < 0 ? "" : client.substring(colon + 1))) != null) {
        throw usage("--client " + name + " stands there twice");
      }
    }
    return grants;
  }

  private static void check(Pattern pattern, String text, String option) {
    if (!pattern.matcher(text).matches()) {
      throw usage(option + " cannot be '" + text + "'");
    }
  }

  private static PageliftException usage(String message) {
    return new PageliftException(ErrorCategory.USAGE, message);
  }
}
