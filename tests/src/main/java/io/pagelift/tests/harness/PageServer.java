package io.pagelift.tests.harness;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A page-server that runs, on loopback at a port that the system chose. */
public final class PageServer {
  private static final Pattern ADDRESS = Pattern.compile("127\\.0\\.0\\.1:(\\d{2,5})");

  private final Running running;
  private final Path store;
  private final int port;

  private PageServer(Running running, Path store, int port) {
    this.running = running;
    this.store = store;
    this.port = port;
  }

  /** Starts one with the store {@code store} in the workspace. */
  public static PageServer start(Workspace workspace, String... options) {
    return start(workspace, workspace.directory().resolve("store"), options);
  }

  /** Starts one with this store and waits until it says where it listens. */
  public static PageServer start(Workspace workspace, Path store, String... options) {
    List<String> arguments = new ArrayList<>(List.of("--port", "0", "--store", store.toString()));
    arguments.addAll(List.of(options));
    Running running = workspace.startProgram("page-server", arguments);
    int[] port = new int[1];
    Await.until(
        "the page-server listens",
        Await.LONG,
        () -> {
          Matcher address = ADDRESS.matcher(running.outSoFar() + running.errSoFar());
          if (address.find()) {
            port[0] = Integer.parseInt(address.group(1));
          } else if (!running.running()) {
            throw new AssertionError(running.await(Await.LONG).describe());
          }
          return port[0] != 0;
        });
    return new PageServer(running, store, port[0]);
  }

  /** {@code 127.0.0.1:PORT}. */
  public String address() {
    return "127.0.0.1:" + port;
  }

  /** The store's directory. */
  public Path store() {
    return store;
  }

  /** The length of all segments. */
  public long storedBytes() {
    return files(store.resolve("segments")).stream().filter(file -> file.toString().endsWith(".pages")).mapToLong(PageServer::length).sum();
  }

  /** How many rounds of a migration are committed. */
  public int committedRounds(String name) {
    return count(name, ".round");
  }

  /** Whether the image of a migration is being written or there. */
  public boolean hasImage(String name) {
    return count(name, ".blob") > 0;
  }

  /** Whether something of a migration is being written. */
  public boolean hasPart(String name) {
    return count(name, ".part") > 0;
  }

  private int count(String name, String ending) {
    return (int) files(store.resolve("migrations").resolve(name)).stream().filter(file -> file.toString().endsWith(ending)).count();
  }

  private static List<Path> files(Path directory) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(files::add);
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      return files; // Not there yet, or changing: what was seen.
    }
    return files;
  }

  private static long length(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0;
    }
  }

  /** The process, for tests that hurt it or look at its memory. */
  public Running process() {
    return running;
  }

  /** Ends it as an operator would, with SIGTERM. */
  public Finished stop() {
    running.terminate();
    return running.await(Duration.ofMinutes(60));
  }
}
