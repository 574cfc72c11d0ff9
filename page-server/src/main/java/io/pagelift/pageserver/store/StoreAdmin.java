package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreErrors;
import io.pagelift.store.StoreFile;
import io.pagelift.store.StoreLayout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What changes a store from a command line: asks the server that has it open, or opens it when none has. */
public final class StoreAdmin {
  private static final long ANSWER_MINUTES = 60;
  private static final int MAX_ANSWER_BYTES = 1 << 20;

  private final StoreLayout layout;

  private StoreAdmin(StoreLayout layout) {
    this.layout = layout;
  }

  /** The store in a directory; a refused error when there is none. */
  public static StoreAdmin of(Path directory) {
    StoreLayout layout = new StoreLayout(directory);
    StoreFile.check(layout);
    return new StoreAdmin(layout);
  }

  /** {@link PageStore#reclaim}. */
  public Reclaimed reclaim() {
    return Reclaimed.fromText(run("gc", store -> store.reclaim().toText()));
  }

  /** {@link PageStore#remove}. */
  public void remove(String name, boolean force) {
    StoreLayout.checkedName(name);
    run(
        (force ? "rm --force " : "rm ") + name,
        store -> {
          store.remove(name, force);
          return "";
        });
  }

  private String run(String request, Function<PageStore, String> work) {
    try (SocketChannel server = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.connect(UnixDomainSocketAddress.of(layout.controlSocket()));
      return ask(server, request);
    } catch (IOException e) {
      // Nobody listens: the store is free, or opening it says who has it.
    }
    try (PageStore store = PageStore.open(layout.directory())) {
      return work.apply(store);
    }
  }

  private String ask(SocketChannel server, String request) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        server.write(bytes);
      }
      return answer(new String(readAll(server, request), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new PageliftException(
          ErrorCategory.REMOTE,
          "The page-server that has the store " + layout.directory() + " went away before it answered '" + request + "' ("
              + StoreErrors.reason(e) + "); look whether it runs, then try again.",
          e);
    }
  }

  private byte[] readAll(SocketChannel server, String request) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    ByteBuffer bytes = ByteBuffer.allocate(4096);
    server.configureBlocking(false);
    try (Selector selector = Selector.open()) {
      server.register(selector, SelectionKey.OP_READ);
      while (true) {
        if (selector.select(TimeUnit.MINUTES.toMillis(ANSWER_MINUTES)) == 0) {
          throw new PageliftException(
              ErrorCategory.EXHAUSTED,
              "The page-server has not answered '" + request + "' within " + ANSWER_MINUTES + " minutes; it may still be at it.");
        }
        selector.selectedKeys().clear();
        if (server.read(bytes.clear()) < 0 || answer.size() > MAX_ANSWER_BYTES) {
          return answer.toByteArray();
        }
        answer.write(bytes.array(), 0, bytes.flip().limit());
      }
    }
  }

  private static String answer(String text) throws IOException {
    int end = text.indexOf('\n');
    if (end < 0) {
      throw new IOException("its answer ended early");
    }
    String first = text.substring(0, end);
    if (first.equals("ok")) {
      return text.substring(end + 1);
    }
    String[] words = first.split(" ", 3);
    for (ErrorCategory category : ErrorCategory.values()) {
      if (words.length == 3 && words[0].equals("error") && words[1].equals(category.name())) {
        throw new PageliftException(category, words[2]);
      }
    }
    throw new IOException("its answer is not understood");
  }
}
