package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.TlsEngine;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.ClientTls;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RawPeer;
import io.pagelift.wire.ReadingSession;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.MigrationInfo;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.Ping;
import io.pagelift.wire.proto.Pong;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is let in, and what it may do there: with both engines at the server. */
@ExtendWith(LeakCheck.class)
@ParameterizedClass
@EnumSource(TlsEngine.class)
class TlsTest {
  private static final ObjectInfo HEAP = ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).build();

  /** X25519MLKEM768 among the key shares of a ServerHello: extension 51, its length, group 0x11ec. */
  private static final byte[] HYBRID = {0, 51, 4, 100, 0x11, (byte) 0xec};

  @TempDir static Path directory;
  private static TestKeys keys;
  private static TestKeys foreign;

  @Parameter TlsEngine engine;

  private final HeapStore store = new HeapStore(true);
  private PageServer server;

  @BeforeAll
  static void makeKeys() {
    Path fresh = directory.resolve("keys" + System.nanoTime());
    keys = new TestKeys(fresh.resolve("own"));
    foreign = new TestKeys(fresh.resolve("foreign"));
  }

  @BeforeEach
  void start() {
    server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "server").withTls(keys.server(engine)));
  }

  @AfterEach
  void stop() throws Exception {
    try (PageServerClient good = connect("all")) {
      assertThat(good.list()).isNotNull();
    }
    while (server.sessionCount() > 0 || server.strangerCount() > 0) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(server.queuedBytes()).isZero();
    server.close();
  }

  private PageServerClient connect(String client) {
    return connect(keys, client, TlsEngine.BOUNCYCASTLE, null);
  }

  private PageServerClient connect(TestKeys from, String client, TlsEngine own, @Nullable String host) {
    return PageServerClient.connect(
        server.address(), ClientOptions.defaults("test").withTls(new ClientTls(from.context(client, own), host)));
  }

  private static void commitRound(MigrationSession session, int megabytes) {
    RoundWriter round = session.beginRound("none", "t");
    for (int i = 0; i < megabytes; i++) {
      PageBatchBuffer buffer = round.acquire();
      ByteBuffer bytes = buffer.bytes();
      for (int at = 0; at < bytes.capacity(); at += 8) {
        bytes.putLong(at, 31L * at + i);
      }
      round.send(1, List.of(PageRun.data(256L * i, 256)), buffer);
    }
    round.commit(List.of(HEAP), false);
  }

  @Test
  void pagesCrossAndComeBackAsTheyWere() {
    for (TlsEngine own : TlsEngine.values()) {
      try (PageServerClient client = connect(keys, "all", own, null)) {
        try (MigrationSession session = client.openForWriting("m-" + own)) {
          commitRound(session, 4);
        }
        try (ReadingSession session = client.openForReading("m-" + own)) {
          session.read(
              1,
              PageRuns.of(0, 4 * 256),
              (first, count, bytes) -> {
                boolean same = true;
                for (int at = 0; at < bytes.remaining(); at += 8) {
                  long offset = first * 4096 + at;
                  same &= bytes.getLong(bytes.position() + at) == 31 * (offset % (1 << 20)) + offset / (1 << 20);
                }
                assertThat(same).isTrue();
              });
        }
      }
    }
  }

  @Test
  void theKeyExchangeIsHybridWhereBothEndsHaveIt() throws Exception {
    for (TlsEngine own : TlsEngine.values()) {
      try (RecordingProxy proxy = new RecordingProxy(server.address());
          PageServerClient client =
              PageServerClient.connect(
                  proxy.address(), ClientOptions.defaults("test").withTls(new ClientTls(keys.context("all", own), null)))) {
        client.list();
        assertThat(proxy.fromServer()).containsSequence(HYBRID);
      }
    }
  }

  @Test
  void wrongExpiredRevokedAndForeignCertificatesGetNothing() {
    keys.add("lost");
    keys.revoke("lost");
    assertRefused(keys, "lost", "does not accept this end's certificate");
    assertRefused(keys, "expired", "does not accept this end's certificate");
    // The server's own certificate is good for a server alone.
    assertRefused(keys, "server", "does not accept this end's certificate");
    assertThatThrownBy(
            () ->
                PageServerClient.connect(
                    server.address(),
                    ClientOptions.defaults("test").withTls(new ClientTls(foreign.context("all", TlsEngine.BOUNCYCASTLE), null))))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("no authority that is known here signed it");
    assertThat(store.list()).isEmpty();
    keys.of("lost").toFile().renameTo(keys.of("lost" + System.nanoTime()).toFile());
  }

  private void assertRefused(TestKeys from, String client, String sentence) {
    for (TlsEngine own : TlsEngine.values()) {
      assertThatThrownBy(() -> connect(from, client, own, null).list())
          .isInstanceOfSatisfying(
              PageliftException.class,
              refused -> {
                assertThat(refused.category()).isEqualTo(ErrorCategory.REMOTE);
                assertThat(refused.getMessage()).contains(sentence);
              });
    }
  }

  @Test
  void aClientOfAForeignAuthorityThatBelievesUsGetsNothing() throws Exception {
    try (SSLSocket socket = (SSLSocket) foreign.jdk("all").getSocketFactory().createSocket()) {
      assertGetsNothing(socket);
    }
  }

  private void assertGetsNothing(SSLSocket socket) throws Exception {
    socket.connect(new java.net.InetSocketAddress(server.address().host(), server.address().port()), 5000);
    assertThatThrownBy(
            () -> {
              RawPeer peer = new RawPeer(socket);
              peer.hello();
              peer.receive(FrameType.HELLO, Hello.class);
            })
        .isInstanceOf(java.io.IOException.class);
  }

  @Test
  void aServerThatIsNotTheOneWantedGetsNothing() {
    for (TlsEngine own : TlsEngine.values()) {
      assertThatThrownBy(() -> connect(keys, "all", own, "other.example"))
          .hasMessageContaining("certificate of " + server.address() + " is not accepted")
          .hasMessageContaining("--tls-host");
    }
  }

  @Test
  void theJdksOwnTlsIsUnderstood() throws Exception {
    try (SSLSocket socket =
        (SSLSocket) keys.jdk("all").getSocketFactory().createSocket(server.address().host(), server.address().port())) {
      RawPeer peer = new RawPeer(socket);
      peer.hello();
      peer.receive(FrameType.HELLO, Hello.class);
      peer.send(FrameType.PING, Ping.newBuilder().setNonce(7).build());
      assertThat(peer.receive(FrameType.PONG, Pong.class).getNonce()).isEqualTo(7);
    }
  }

  @Test
  void aClientMayDoWhatItsCertificateSaysAndNoMore() {
    try (PageServerClient all = connect("all");
        MigrationSession session = all.openForWriting("web-1")) {
      commitRound(session, 1);
    }
    try (PageServerClient all = connect("all");
        MigrationSession session = all.openForWriting("db-1")) {
      commitRound(session, 1);
    }
    try (PageServerClient web = connect("web")) {
      assertThat(web.list()).extracting(MigrationInfo::getName).containsExactly("web-1");
      assertDenied(() -> web.openForWriting("db-1"), "does not allow to write 'db-1'");
      assertDenied(() -> web.openForReading("db-1"), "does not allow to read 'db-1'");
      assertDenied(() -> web.openForReading("nothing"), "does not allow to read 'nothing'");
      try (ReadingSession session = web.openForReading("web-1")) {
        session.read(1, PageRuns.of(0, 1), (first, count, bytes) -> assertThat(count).isEqualTo(1));
      }
    }
    try (PageServerClient looker = connect("looker")) {
      assertThat(looker.list()).extracting(MigrationInfo::getName).containsExactly("db-1", "web-1");
      assertDenied(() -> looker.openForWriting("new"), "does not allow to write 'new'");
      try (ReadingSession session = looker.openForReading("db-1")) {
        assertThat(session.held(1).pageCount()).isEqualTo(256);
        assertDenied(() -> session.read(1, PageRuns.of(0, 1), (first, count, bytes) -> {}), "does not allow to restore 'db-1'");
        assertDenied(() -> session.image("tree"), "does not allow to restore 'db-1'");
      }
    }
    assertThat(store.list()).extracting(MigrationInfo::getName).containsExactly("db-1", "web-1");
  }

  private static void assertDenied(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String sentence) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(PageliftException.class, denied -> assertThat(denied.category()).isEqualTo(ErrorCategory.REFUSED))
        .hasMessageContaining(sentence);
  }

  @Test
  void aCertificateThatIsRevokedWhileItsHolderIsConnectedBeginsNoFurtherRound() throws Exception {
    keys.add("fired");
    try (PageServerClient client = connect("fired");
        MigrationSession session = client.openForWriting("m")) {
      commitRound(session, 1);
      keys.revoke("fired");
      // What a check has found is good for a second.
      TimeUnit.MILLISECONDS.sleep(1100);
      assertDenied(() -> session.beginRound("none", "t"), "no longer accepted: it was revoked");
    }
    keys.of("fired").toFile().renameTo(keys.of("fired" + System.nanoTime()).toFile());
  }

  @Test
  void aRecordedConnectionThatIsPlayedAgainGetsNothing() throws Exception {
    byte[] said;
    try (RecordingProxy proxy = new RecordingProxy(server.address());
        PageServerClient client =
            PageServerClient.connect(
                proxy.address(),
                ClientOptions.defaults("test").withTls(new ClientTls(keys.context("all", TlsEngine.BOUNCYCASTLE), null)))) {
      try (MigrationSession session = client.openForWriting("m")) {
        commitRound(session, 1);
      }
      said = proxy.fromClient();
    }
    assertThat(said.length).isGreaterThan(1 << 20);
    try (java.net.Socket socket = new java.net.Socket(server.address().host(), server.address().port());
        RawPeer replay = new RawPeer(socket)) {
      assertThatThrownBy(
              () -> {
                replay.send(said);
                while (!replay.ended()) {
                  // The server's hello and an alert.
                }
                throw new java.io.IOException("ended");
              })
          .isInstanceOf(java.io.IOException.class);
    }
    assertThat(store.readMigration("m").lastRound()).isEqualTo(1);
  }

  @Test
  void plainTextIsNotUnderstoodAndSaidSo() throws Exception {
    assertThatThrownBy(() -> PageServerClient.connect(server.address(), ClientOptions.defaults("plain")))
        .hasMessageContaining("without TLS?");
    try (PageServer plain = PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "plain"))) {
      assertThatThrownBy(
              () ->
                  PageServerClient.connect(
                      plain.address(),
                      ClientOptions.defaults("tls").withTls(new ClientTls(keys.context("all", engine), null))))
          .hasMessageContaining("does not speak TLS");
    }
  }
}
