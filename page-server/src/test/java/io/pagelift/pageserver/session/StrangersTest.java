package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tls.TlsEngine;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.ClientTls;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RawPeer;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.Limits;
import java.io.File;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.jspecify.annotations.Nullable;

/** What connections cost before anybody knows who they are: little, and nobody else has to wait for them. */
@ExtendWith(LeakCheck.class)
class StrangersTest {
  private static final int READ_MILLIS = 60_000;

  @TempDir static Path directory;
  private static TestKeys keys;

  private final HeapStore store = new HeapStore(true);
  private @Nullable PageServer server;

  @BeforeAll
  static void makeKeys() {
    keys = new TestKeys(directory.resolve("keys"));
  }

  @AfterEach
  void stop() throws Exception {
    PageServer running = running();
    while (running.sessionCount() > 0 || running.strangerCount() > 0) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(running.queuedBytes()).isZero();
    assertThat(store.list()).isEmpty();
    running.close();
  }

  private PageServer running() {
    PageServer started = server;
    assertThat(started).isNotNull();
    return started;
  }

  private void serve(StrangerLimits limits) {
    server =
        PageServer.start(
            store,
            ServerOptions.defaults("127.0.0.1", 0, "server").withStrangers(limits).withTls(keys.server(TlsEngine.BOUNCYCASTLE)));
  }

  private void servePlain(StrangerLimits limits) {
    server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "server").withStrangers(limits));
  }

  private Socket socket() throws IOException {
    Socket socket = new Socket(running().address().host(), running().address().port());
    socket.setSoTimeout(READ_MILLIS);
    return socket;
  }

  private void assertServed() {
    ClientTls tls = new ClientTls(keys.context("all", TlsEngine.BOUNCYCASTLE), null);
    try (PageServerClient good = PageServerClient.connect(running().address(), ClientOptions.defaults("good").withTls(tls))) {
      assertThat(good.list()).isEmpty();
    }
  }

  /** Whether the server has ended the connection, in one way or the other. */
  private static boolean ended(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (IOException reset) {
      return true;
    }
  }

  /** The first bytes of a handshake record that announces a ClientHello of 16,000 bytes. */
  private static byte[] beginOfHello(int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    System.arraycopy(new byte[] {22, 3, 1, 0x3e, (byte) 0x84, 1, 0, 0x3e, (byte) 0x80, 3, 3}, 0, bytes, 0, 11);
    return bytes;
  }

  @Test
  void aHandshakeThatDripsEndsAtItsBoundAndHoldsNobodyUp() throws Exception {
    serve(StrangerLimits.USUAL.withHandshakeTimeout(Duration.ofMillis(1500)));
    try (Socket slow = socket()) {
      byte[] hello = beginOfHello(64);
      boolean over = false;
      int sent = 0;
      slow.setSoTimeout(50);
      while (!over) {
        try {
          slow.getOutputStream().write(hello[Math.min(sent++, 63)]);
          over = slow.getInputStream().read() < 0;
        } catch (java.net.SocketTimeoutException stillOpen) {
          over = false;
        } catch (IOException closed) {
          over = true;
        }
        if (sent == 3) {
          assertServed();
        }
      }
    }
    assertServed();
  }

  @Test
  void moreThanAHandshakeNeedsIsNotTaken() throws Exception {
    serve(StrangerLimits.USUAL);
    try (Socket loud = socket()) {
      byte[] record = beginOfHello(16_005);
      try {
        for (int i = 0; i < 64; i++) {
          loud.getOutputStream().write(record);
        }
      } catch (IOException closed) {
        // As it should be.
      }
      while (!ended(loud)) {
        // An alert may come first.
      }
    }
    assertServed();
  }

  @Test
  void theOldestStrangerMakesRoom() throws Exception {
    serve(StrangerLimits.USUAL.withConnections(4, 100).withHandshakeTimeout(Duration.ofMinutes(5)));
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        idle.add(socket());
      }
      assertServed();
      // None of them ends by itself for seconds: they were sent away.
      while (running().sessionCount() > 4) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }

  @Test
  void oneAddressCannotTakeAllPlacesNorAllTheTime() throws Exception {
    serve(StrangerLimits.USUAL.withConnections(100, 3));
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        idle.add(socket());
      }
      while (running().strangerCount() < 3) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
      try (Socket fourth = socket()) {
        assertThat(ended(fourth)).isTrue();
      }
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }

  @Test
  void handshakesOfOneAddressHaveARate() throws Exception {
    serve(StrangerLimits.USUAL.withRate(0, 2));
    assertServed();
    assertServed();
    try (Socket third = socket()) {
      assertThat(ended(third)).isTrue();
    }
  }

  @Test
  void aMillionRandomFramesGetNothingAndCostNothing() throws Exception {
    servePlain(StrangerLimits.USUAL);
    Random random = new Random(4711);
    byte[] hello =
        RawPeer.bytes(
            FrameType.HELLO,
            Hello.newBuilder().setVersion(1).setLimits(Limits.newBuilder().setMaxHeaderBytes(1 << 20).setMaxPayloadBytes(1 << 20).setWindowBytes(16 << 20)).build(),
            new byte[0]);
    for (int connection = 0; connection < 200; connection++) {
      ByteBuffer frames = ByteBuffer.allocate(5000 * 80 + hello.length);
      if (connection % 2 == 0) {
        frames.put(hello);
      }
      for (int i = 0; i < 5000; i++) {
        putRandomFrame(random, frames);
      }
      try (Socket peer = socket()) {
        peer.getOutputStream().write(frames.array(), 0, frames.position());
        peer.shutdownOutput();
        while (!ended(peer)) {
          // Its HELLO and an ERROR.
        }
      } catch (IOException closed) {
        // While it still sent.
      }
      assertThat(running().queuedBytes()).isLessThanOrEqualTo(8L << 20);
    }
    try (PageServerClient good = PageServerClient.connect(running().address(), ClientOptions.defaults("good"))) {
      assertThat(good.list()).isEmpty();
    }
  }

  /** A frame with a right beginning and checksum, of any type, with any header. */
  private static void putRandomFrame(Random random, ByteBuffer into) {
    int start = into.position();
    byte[] header = new byte[random.nextInt(64)];
    random.nextBytes(header);
    into.putShort((short) ('P' << 8 | 'L')).put((byte) 1).put((byte) random.nextInt(40)).putInt(header.length).putInt(0);
    CRC32C checksum = new CRC32C();
    checksum.update(into.duplicate().position(start).limit(start + 12));
    checksum.update(header);
    into.putInt((int) checksum.getValue()).put(header);
  }

  @Test
  void opensslAsAPeerGetsInWithACertificateAloneAndWithTls13Alone() throws Exception {
    serve(StrangerLimits.USUAL);
    byte[] hello =
        RawPeer.bytes(
            FrameType.HELLO,
            Hello.newBuilder().setVersion(1).setLimits(Limits.newBuilder().setMaxHeaderBytes(1 << 20).setMaxPayloadBytes(1 << 20).setWindowBytes(16 << 20)).build(),
            new byte[0]);
    Path all = keys.of("all");
    List<String> good = List.of("-cert", all + "/cert.pem", "-key", all + "/key.pem", "-CAfile", all + "/ca.pem", "-verify_return_error");
    assertThat(openssl(hello, good)).startsWith((byte) 'P', (byte) 'L', (byte) 1, (byte) 1);
    assertThat(openssl(hello, List.of())).isEmpty();
    List<String> old = new ArrayList<>(good);
    old.add("-tls1_2");
    assertThat(openssl(hello, old)).isEmpty();
  }

  private byte[] openssl(byte[] said, List<String> options) throws Exception {
    List<String> command = new ArrayList<>(List.of("openssl", "s_client", "-quiet", "-connect", running().address().toString()));
    command.addAll(options);
    File answer = Files.createTempFile(directory, "answer", "").toFile();
    Process client = new ProcessBuilder(command).redirectOutput(answer).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try {
      client.getOutputStream().write(said);
      client.getOutputStream().flush();
      // It ends by itself when it is refused; otherwise when it has its answer.
      while (client.isAlive() && answer.length() < 16) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
    } catch (IOException refused) {
      assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      client.destroyForcibly().waitFor();
    }
    return Files.readAllBytes(answer.toPath());
  }
}
