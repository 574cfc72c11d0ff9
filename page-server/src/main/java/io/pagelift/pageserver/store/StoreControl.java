package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreLayout;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets commands on this host ask the process that has the store: a unix socket in the store's directory, which only its owner may
 * enter. A request is one line, {@code gc}, {@code rm NAME} or {@code rm --force NAME}; the answer is {@code ok} or {@code error CATEGORY SENTENCE} on a line
 * of its own, then what there is to tell, until the end of the stream.
 */
public final class StoreControl implements AutoCloseable {
  /** A command and a name; more is not read. */
  static final int MAX_REQUEST_BYTES = 256;

  private static final String FORCE = "rm --force ";

  private static final Logger LOG = LoggerFactory.getLogger(StoreControl.class);

  private final PageStore store;
  private final Path path;
  private final @Nullable ServerSocketChannel socket;

  private StoreControl(PageStore store, Path path, @Nullable ServerSocketChannel socket) {
    this.store = store;
    this.path = path;
    this.socket = socket;
  }

  /** Binds in the directory of a store that this process has open; without luck only the commands miss it, and the log says so. */
  public static StoreControl bind(PageStore store, Path directory) {
    Path path = new StoreLayout(directory).controlSocket();
    try {
      Files.deleteIfExists(path); // left by a process that was killed: this one has the store's lock
      ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      socket.bind(UnixDomainSocketAddress.of(path));
      return new StoreControl(store, path, socket);
    } catch (IOException e) {
      LOG.warn("Commands such as 'page-server gc' cannot reach this server through {}: {}", path, e.getMessage());
      return new StoreControl(store, path, null);
    }
  }

  /** Begins to answer. */
  public void start() {
    ServerSocketChannel listening = socket;
    if (listening != null) {
      Thread thread = new Thread(() -> serve(listening), "pagelift-control");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void serve(ServerSocketChannel listening) {
    try {
      while (true) {
        SocketChannel client = listening.accept();
        Thread thread = new Thread(() -> answer(client), "pagelift-control-request");
        thread.setDaemon(true);
        thread.start();
      }
    } catch (ClosedChannelException e) {
      LOG.debug("{} is closed", path);
    } catch (IOException e) {
      LOG.warn("{} does not answer any more: {}", path, e.getMessage());
    }
  }

  private void answer(SocketChannel client) {
    try (client) {
      String answer;
      try {
        answer = "ok\n" + run(request(client));
      } catch (PageliftException e) {
        answer = "error " + e.category() + " " + e.getMessage() + "\n";
      } catch (RuntimeException e) {
        LOG.error("a request on {} failed", path, e);
        answer = "error " + ErrorCategory.INTERNAL + " internal error (" + e + "); the page-server's log has more\n";
      }
      ByteBuffer bytes = ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        client.write(bytes);
      }
    } catch (IOException e) {
      LOG.info("A command on {} went away: {}", path, e.getMessage());
    }
  }

  private static String request(SocketChannel client) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(MAX_REQUEST_BYTES);
    while (bytes.hasRemaining() && (bytes.position() == 0 || bytes.get(bytes.position() - 1) != '\n')) {
      if (client.read(bytes) < 0) {
        break;
      }
    }
    return StandardCharsets.UTF_8.decode(bytes.flip()).toString().strip();
  }

  private String run(String request) {
    if (request.equals("gc")) {
      LOG.info("Space is reclaimed.");
      return store.reclaim().toText();
    }
    if (request.startsWith("rm ")) {
      boolean force = request.startsWith(FORCE);
      String name = StoreLayout.checkedName(request.substring(force ? FORCE.length() : 3));
      store.remove(name, force);
      LOG.info("Migration '{}' was removed.", name);
      return "";
    }
    throw new PageliftException(
        ErrorCategory.USAGE, "The page-server does not know this request; use the commands of the version that serves.");
  }

  @Override
  public void close() {
    if (socket == null) {
      return;
    }
    try {
      socket.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      LOG.debug("{} stays, which does no harm: {}", path, e.getMessage());
    }
  }
}
