package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.google.protobuf.MessageLite;
import io.pagelift.pageserver.store.MigrationLog;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.Messages;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RawPeer;
import io.pagelift.wire.proto.HeldRequest;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.ImageRequest;
import io.pagelift.wire.proto.ListRequest;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.OpenMigration;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.PageRun;
import io.pagelift.wire.proto.Ping;
import io.pagelift.wire.proto.Pong;
import io.pagelift.wire.proto.PlacesRequest;
import io.pagelift.wire.proto.ReadRequest;
import io.pagelift.wire.proto.RoundAbort;
import io.pagelift.wire.proto.RoundBegin;
import io.pagelift.wire.proto.RoundCommit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Conversations that are almost right: whole conversations of a dumper and of a restorer, with bytes of their headers changed, frames
 * left out, doubled and exchanged, and right checksums, so that they get behind the codec to what looks at the messages.
 *
 * <p>Seeded, so that each run is the same one; {@code -Dpagelift.fuzz.seed} and {@code -Dpagelift.fuzz.conversations} make another one or a
 * longer one. A conversation that hurts the server is written to {@code target/fuzz}; moved to {@code src/test/resources/fuzz/wire} it is
 * played in every run from then on.
 */
@ExtendWith(LeakCheck.class)
class WireFuzzTest {
  private static final Path CORPUS = Path.of(System.getProperty("basedir", ""), "src/test/resources/fuzz/wire");
  private static final Path FOUND = Path.of(System.getProperty("basedir", ""), "target/fuzz");
  private static final int CONVERSATIONS = Integer.getInteger("pagelift.fuzz.conversations", 600);
  private static final long SEED = Long.getLong("pagelift.fuzz.seed", 20261122L);
  private static final int PREFIX_BYTES = 16;
  private static final int READ_MILLIS = 120_000;

  private static final byte[] LAST_QUESTION = frame(FrameType.PING, Ping.newBuilder().setNonce(0x5eed_1a57L).build());
  private static final byte[] LAST_ANSWER = frame(FrameType.PONG, Pong.newBuilder().setNonce(0x5eed_1a57L).build());

  private final HeapStore store = new HeapStore(false);
  private final PageServer server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "server"));

  @BeforeEach
  void storeSomethingToRead() {
    try (MigrationLog log = store.openMigration("kept", true)) {
      log.beginRound(1, "none", "t", 0).commit(List.of(ObjectInfo.newBuilder().setId(1).build()), true);
    }
  }

  @AfterEach
  void stop() throws Exception {
    while (server.sessionCount() > 0) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(server.queuedBytes()).isZero();
    assertThat(server.openRoundCount()).isZero();
    server.close();
  }

  private static List<byte[]> writing(int number) {
    byte[] page = new byte[4096];
    return new ArrayList<>(
        List.of(
            frame(FrameType.HELLO, Messages.hello("fuzzer", 16 << 20)),
            frame(FrameType.PING, Ping.newBuilder().setNonce(7).build()),
            frame(FrameType.OPEN_MIGRATION, OpenMigration.newBuilder().setName("m" + number).setAccessValue(2).setCreate(true).build()),
            frame(FrameType.HELD_REQUEST, HeldRequest.newBuilder().setObjectId(1).build()),
            frame(FrameType.ROUND_BEGIN, RoundBegin.newBuilder().setRound(1).setTracker("none").setTrackingToken("t").build()),
            frame(FrameType.PAGE_BATCH, batch(1), page),
            frame(FrameType.PAGE_BATCH, batch(2), page),
            frame(FrameType.IMAGE_PART, ImagePart.newBuilder().setName("tree").setTotalBytes(4096).setSequence(3).build(), page),
            frame(
                FrameType.ROUND_COMMIT,
                RoundCommit.newBuilder().setRound(1).setBatchCount(3).setComplete(true).addObjects(ObjectInfo.newBuilder().setId(1)).build()),
            frame(FrameType.ROUND_BEGIN, RoundBegin.newBuilder().setRound(2).setTracker("none").setTrackingToken("t").build()),
            frame(FrameType.ROUND_ABORT, RoundAbort.newBuilder().setRound(2).setReason("enough").build())));
  }

  private static List<byte[]> reading() {
    return new ArrayList<>(
        List.of(
            frame(FrameType.HELLO, Messages.hello("fuzzer", 16 << 20)),
            frame(FrameType.LIST_REQUEST, ListRequest.getDefaultInstance()),
            frame(FrameType.OPEN_MIGRATION, OpenMigration.newBuilder().setName("kept").setAccessValue(1).build()),
            frame(FrameType.HELD_REQUEST, HeldRequest.newBuilder().setObjectId(1).build()),
            frame(FrameType.PLACES_REQUEST, PlacesRequest.newBuilder().setObjectId(1).build()),
            frame(FrameType.IMAGE_REQUEST, ImageRequest.newBuilder().setName("tree").build()),
            frame(FrameType.READ_REQUEST, ReadRequest.newBuilder().setObjectId(1).addFirstPage(5).addPageCount(1).build())));
  }

  private static PageBatch batch(long sequence) {
    return PageBatch.newBuilder().setSequence(sequence).setObjectId(1).addRuns(PageRun.newBuilder().setFirstPage(5).setPageCount(1)).build();
  }

  private static byte[] frame(FrameType type, MessageLite message, byte... payload) {
    return RawPeer.bytes(type, message, payload);
  }

  @Test
  void conversationsThatAreAlmostRightEndInAnErrorAtMost() throws IOException {
    Random random = new Random(SEED);
    for (int i = 0; i < CONVERSATIONS; i++) {
      List<byte[]> frames = random.nextInt(3) == 0 ? reading() : writing(i);
      int changes = 1 + random.nextInt(3);
      for (int change = 0; change < changes; change++) {
        mutate(random, frames);
      }
      play(join(frames));
    }
  }

  @Test
  void whatOnceHurtIsHarmless() throws IOException {
    try (Stream<Path> files = Files.list(CORPUS)) {
      for (Path file : files.sorted().toList()) {
        play(Files.readAllBytes(file));
      }
    }
  }

  private static void mutate(Random random, List<byte[]> frames) {
    int at = 1 + random.nextInt(frames.size() - 1);
    switch (random.nextInt(8)) {
      case 0 -> frames.remove(at > 1 ? at : frames.size() - 1);
      case 1 -> frames.add(at, frames.get(at));
      case 2 -> frames.add(frames.remove(at));
      case 3 -> frames.set(at, withChangedType(random, frames.get(at).clone()));
      default -> frames.set(at, withChangedHeader(random, frames.get(at).clone()));
    }
  }

  private static byte[] withChangedType(Random random, byte[] frame) {
    frame[3] = (byte) random.nextInt(40);
    return checksummed(frame);
  }

  private static byte[] withChangedHeader(Random random, byte[] frame) {
    int headerBytes = ByteBuffer.wrap(frame).getInt(4);
    if (headerBytes == 0) {
      return withChangedType(random, frame);
    }
    int at = PREFIX_BYTES + random.nextInt(headerBytes);
    frame[at] =
        switch (random.nextInt(4)) {
          case 0 -> (byte) (frame[at] ^ (1 << random.nextInt(8)));
          case 1 -> (byte) 0xff;
          case 2 -> 0;
          default -> (byte) random.nextInt(256);
        };
    return checksummed(frame);
  }

  private static byte[] checksummed(byte[] frame) {
    CRC32C checksum = new CRC32C();
    checksum.update(frame, 0, PREFIX_BYTES - 4);
    checksum.update(frame, PREFIX_BYTES, frame.length - PREFIX_BYTES);
    ByteBuffer.wrap(frame).putInt(PREFIX_BYTES - 4, (int) checksum.getValue());
    return frame;
  }

  private static byte[] join(List<byte[]> frames) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    frames.forEach(all::writeBytes);
    return all.toByteArray();
  }

  /** Plays a conversation to its end; afterwards the server still serves, and no answer speaks of an internal error. */
  private void play(byte[] conversation) throws IOException {
    ByteArrayOutputStream answers = new ByteArrayOutputStream();
    try (Socket socket = new Socket(server.address().host(), server.address().port())) {
      socket.setSoTimeout(READ_MILLIS);
      socket.getOutputStream().write(conversation);
      socket.getOutputStream().write(LAST_QUESTION);
      byte[] some = new byte[1 << 16];
      int count = 0;
      while (count >= 0 && !endsWith(answers, LAST_ANSWER)) {
        count = socket.getInputStream().read(some);
        answers.write(some, 0, Math.max(count, 0));
      }
    } catch (java.net.SocketTimeoutException hang) {
      keep(conversation, "the server neither answered nor ended the connection");
    } catch (IOException reset) {
      // The server ended it while it was still being sent.
    }
    if (answers.toString(java.nio.charset.StandardCharsets.ISO_8859_1).contains("internal error")) {
      keep(conversation, "the server had an internal error");
    }
    try (PageServerClient client = PageServerClient.connect(server.address(), ClientOptions.defaults("good"))) {
      assertThat(client.list()).isNotEmpty();
    }
  }

  private static boolean endsWith(ByteArrayOutputStream answers, byte[] end) {
    byte[] all = answers.toByteArray();
    return all.length >= end.length && Arrays.equals(all, all.length - end.length, all.length, end, 0, end.length);
  }

  private static void keep(byte[] conversation, String why) throws IOException {
    Files.createDirectories(FOUND);
    Path file = Files.createTempFile(FOUND, "conversation", ".bin");
    Files.write(file, conversation);
    fail(why + "; the conversation is in " + file);
  }
}
