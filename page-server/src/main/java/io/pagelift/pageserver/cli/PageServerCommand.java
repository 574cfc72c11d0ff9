package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.common.SoftwareVersion;
import io.pagelift.common.Verbosity;
import io.pagelift.pageserver.metrics.AdminEndpoint;
import io.pagelift.pageserver.metrics.ServerMetrics;
import io.pagelift.pageserver.session.PageServer;
import io.pagelift.pageserver.session.ServerOptions;
import io.pagelift.pageserver.session.SessionEvents;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.pageserver.store.StoreControl;
import io.pagelift.tls.TlsContext;
import io.pagelift.tls.TlsFiles;
import io.pagelift.tls.cli.TlsOptions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code page-server --port N --store DIR}: serves until SIGTERM or SIGINT. */
@Command(
    name = "page-server",
    mixinStandardHelpOptions = true,
    versionProvider = SoftwareVersion.class,
    subcommands = {
      LsCommand.class, ShowCommand.class, VerifyCommand.class, RepairCommand.class, GcCommand.class, RmCommand.class, KeygenCommand.class
    },
    description = "Receives pages of migrations, stores them deduplicated and serves them to restorers.",
    footer = {
      "",
      "Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 refused, 4 remote end or network, 5 damaged data, 6 out of space or time."
    })
final class PageServerCommand implements Callable<Integer> {
  /** Longer than the server and the store need at worst: forcing what a round has written. */
  private static final long STOP_SECONDS = 150;

  /** With what ending takes, still less than that. */
  private static final int MAX_DRAIN_SECONDS = 60;

  @Mixin Verbosity verbosity = new Verbosity();

  @Mixin StoreFlags storeFlags = new StoreFlags();

  @Option(names = "--port", paramLabel = "N", description = "TCP port to listen on; 0 has one chosen.")
  @Nullable Integer port;

  @Option(names = "--store", paramLabel = "DIR", description = "Directory of the page store; made when it does not exist.")
  @Nullable Path store;

  @Option(
      names = "--address",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address to listen on (default: ${DEFAULT-VALUE}).")
  String address = "127.0.0.1";

  @Option(
      names = "--insecure-plain-text",
      description = "Allow an address that is not loopback, although the pages of the migrated processes travel unencrypted.")
  boolean insecurePlainText;

  @Option(
      names = "--drain-timeout",
      paramLabel = "SECONDS",
      defaultValue = "20",
      description = "After SIGTERM, how long rounds that run may take to be committed (default: ${DEFAULT-VALUE}).")
  int drainSeconds = 20;

  @Option(
      names = "--idle-timeout",
      paramLabel = "SECONDS",
      defaultValue = "900",
      description = "End connections that ask for nothing for so long (default: ${DEFAULT-VALUE}).")
  int idleSeconds = 900;

  @Option(names = "--status-fd", paramLabel = "FD", description = "Write a zero byte to this descriptor once clients can connect, as CRIU does.")
  @Nullable Integer statusFd;

  @Option(
      names = "--admin-port",
      paramLabel = "N",
      description = "Serve figures for Prometheus at http://127.0.0.1:N/metrics; 0 has a port chosen.")
  @Nullable Integer adminPort;

  @Option(
      names = "--admin-address",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address for --admin-port; anybody who reaches it can read the figures (default: ${DEFAULT-VALUE}).")
  String adminAddress = "127.0.0.1";

  @Mixin TlsOptions tls = new TlsOptions();

  @Override
  public Integer call() {
    Integer checkedPort = port;
    Path directory = store;
    if (checkedPort == null || directory == null) {
      throw missing(checkedPort == null, directory == null);
    }
    checkPort("--port", checkedPort);
    checkPort("--admin-port", adminPort == null ? 0 : adminPort);
    if (drainSeconds < 0 || drainSeconds > MAX_DRAIN_SECONDS || idleSeconds < 1) {
      throw new PageliftException(
          ErrorCategory.USAGE, "--drain-timeout is 0 to " + MAX_DRAIN_SECONDS + " and --idle-timeout 1 or more seconds");
    }
    Optional<TlsFiles> files = tls.files();
    if (files.isEmpty()) {
      checkAddress();
    }
    ServerOptions plain =
        ServerOptions.defaults(address, checkedPort, SoftwareVersion.of("page-server")).withIdleTimeout(Duration.ofSeconds(idleSeconds));
    ServerMetrics metrics = adminPort == null ? null : new ServerMetrics();
    ServerOptions options =
        files.map(these -> plain.withTls(TlsContext.open(these))).orElse(plain).withEvents(metrics == null ? SessionEvents.NONE : metrics);
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stopInOrder(stop, stopped), "pagelift-stop"));
    AdminEndpoint admin = null;
    try (PageStore pages = PageStore.open(directory, storeFlags.options());
        StoreControl control = StoreControl.bind(pages, directory);
        PageServer server = PageServer.start(pages, options)) {
      control.start();
      System.out.println("listening on " + server.address());
      admin = figures(server, metrics);
      System.out.flush();
      StatusDescriptor.ready(statusFd);
      stop.await();
      int open = server.drain(Duration.ofSeconds(drainSeconds));
      if (open > 0) {
        System.err.println("page-server: " + open + " rounds were not committed within " + drainSeconds + " s and are given up");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (admin != null) {
        admin.close();
      }
      stopped.countDown();
    }
    return 0;
  }

  private @Nullable AdminEndpoint figures(PageServer server, @Nullable ServerMetrics metrics) {
    Integer chosen = adminPort;
    if (chosen == null || metrics == null) {
      return null;
    }
    metrics.watch(server);
    AdminEndpoint admin = AdminEndpoint.start(metrics, adminAddress, chosen);
    System.out.println("figures at http://" + admin.address() + "/metrics");
    return admin;
  }

  /** Not "required = true": the subcommands do not need them. */
  private PageliftException missing(boolean portMissing, boolean storeMissing) {
    String options = (portMissing ? "--port=N" : "") + (portMissing && storeMissing ? " and " : "") + (storeMissing ? "--store=DIR" : "");
    return new PageliftException(ErrorCategory.USAGE, "missing " + options + "; see 'page-server --help'");
  }

  private static void checkPort(String option, int number) {
    if (number < 0 || number > 65535) {
      throw new PageliftException(ErrorCategory.USAGE, option + " must be 0 to 65535, not " + number);
    }
  }

  private void checkAddress() {
    if (insecurePlainText) {
      return;
    }
    boolean loopback;
    try {
      loopback = InetAddress.getByName(address).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new PageliftException(ErrorCategory.USAGE, "--address " + address + " is unknown", e);
    }
    if (!loopback) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "--address " + address + " is not loopback, and without TLS the memory of the migrated processes would travel in the clear: "
              + "add --tls=DIR with files of 'page-server keygen', or --insecure-plain-text");
    }
  }

  /** The JVM ends when its shutdown hooks have; this one lets the server finish what it must. */
  private static void stopInOrder(CountDownLatch stop, CountDownLatch stopped) {
    stop.countDown();
    try {
      if (!stopped.await(STOP_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("page-server: sessions did not end within " + STOP_SECONDS + " s; rounds that are not committed are lost");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
