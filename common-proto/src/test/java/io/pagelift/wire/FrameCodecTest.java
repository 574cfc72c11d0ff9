package io.pagelift.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.pagelift.wire.FrameException.Fault;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.PageRun;
import io.pagelift.wire.proto.Ping;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Properties of the codec, with seeded generators: the same frames come out, and nothing but frames does. */
class FrameCodecTest {
  private static final int SMALL_READ_BYTES = 16 << 10;
  private static final ByteBufAllocator HEAP = new UnpooledByteBufAllocator(false);

  /** A frame as the test made it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Made(FrameType type, MessageLite header, byte[] payload) {
    byte[] bytes() {
      ByteBuf head = FrameCodec.encodeHead(HEAP, type, header, ByteBuffer.wrap(payload));
      byte[] bytes = new byte[head.readableBytes() + payload.length];
      int headBytes = head.readableBytes();
      head.readBytes(bytes, 0, headBytes);
      head.release();
      System.arraycopy(payload, 0, bytes, headBytes, payload.length);
      return bytes;
    }
  }

  private static Made randomFrame(Random random, int maxPayload) {
    byte[] payload = new byte[random.nextInt(maxPayload + 1)];
    random.nextBytes(payload);
    return switch (random.nextInt(4)) {
      case 0 -> new Made(FrameType.PING, Ping.newBuilder().setNonce(random.nextLong()).build(), new byte[0]);
      case 1 -> new Made(FrameType.IMAGE_PART, ImagePart.newBuilder().setName("tree").setOffset(random.nextInt()).build(), payload);
      case 2 -> new Made(FrameType.PAGE_BATCH, randomBatch(random), payload);
      default -> new Made(FrameType.LIST_REQUEST, io.pagelift.wire.proto.ListRequest.getDefaultInstance(), new byte[0]);
    };
  }

  private static PageBatch randomBatch(Random random) {
    PageBatch.Builder batch = PageBatch.newBuilder().setSequence(random.nextLong()).setObjectId(random.nextLong());
    for (int i = random.nextInt(1025); i > 0; i--) {
      batch.addRuns(PageRun.newBuilder().setFirstPage(random.nextLong()).setPageCount(random.nextInt()).setKindValue(random.nextInt(3)));
    }
    return batch.build();
  }

  private static byte[] concatenated(List<Made> frames) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    frames.forEach(frame -> all.writeBytes(frame.bytes()));
    return all.toByteArray();
  }

  private static void assertSame(Frame frame, Made made) {
    assertThat(frame.type()).isEqualTo(made.type());
    assertThat(frame.message(MessageLite.class)).isEqualTo(made.header());
    ByteBuffer payload = frame.payload();
    assertThat(payload.remaining()).isEqualTo(made.payload().length);
    assertThat(payload.equals(ByteBuffer.wrap(made.payload()))).isTrue();
  }

  @Test
  void framesComeOutAsTheyWentInHoweverTheStreamIsCut() {
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      int maxRead = 1 << random.nextInt(20);
      List<Made> made = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        made.add(randomFrame(random, maxRead < 64 ? 3000 : 1 << 20));
      }
      try (DecoderFixture decoder = new DecoderFixture()) {
        decoder.receive(concatenated(made), random, maxRead);
        assertThat(decoder.failure).isNull();
        assertThat(decoder.frames).hasSize(made.size());
        for (int i = 0; i < made.size(); i++) {
          assertSame(decoder.frames.get(i), made.get(i));
        }
        assertThat(decoder.leakedBytes()).isZero();
      }
    }
  }

  @Test
  void theFormatIsTheOneThatIsDrawn() {
    Made ping = new Made(FrameType.PING, Ping.newBuilder().setNonce(5).build(), new byte[0]);
    assertThat(ByteBufUtil.hexDump(ping.bytes())).isEqualTo("504c01030000000200000000d08948f6" + "0805");
  }

  @Test
  void noFlippedBitGoesUnnoticed() {
    Random random = new Random(7);
    for (int i = 0; i < 400; i++) {
      Made made = randomFrame(random, 5000);
      byte[] bytes = made.bytes();
      // Half of the flips in the prefix, which is small but says everything.
      int at = random.nextBoolean() ? random.nextInt(FrameCodec.PREFIX_BYTES) : random.nextInt(bytes.length);
      bytes[at] ^= (byte) (1 << random.nextInt(8));
      try (DecoderFixture decoder = new DecoderFixture()) {
        decoder.receive(bytes, random, 4000);
        decoder.end();
        if (decoder.frames.isEmpty()) {
          assertThat(decoder.failure).as("byte %s of a %s frame", at, made.type()).isNotNull();
        } else {
          Frame frame = decoder.frames.get(0);
          assertThatThrownBy(() -> frame.message(MessageLite.class))
              .isInstanceOfSatisfying(FrameException.class, e -> assertThat(e.fault()).isEqualTo(Fault.CHECKSUM));
          assertThatThrownBy(frame::payload).isInstanceOf(FrameException.class);
        }
        assertThat(decoder.leakedBytes()).isZero();
      }
    }
  }

  @Test
  void aStreamThatEndsInsideAFrameIsTruncated() {
    Random random = new Random(8);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = randomFrame(random, 40_000).bytes();
      byte[] cut = java.util.Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length - 1));
      try (DecoderFixture decoder = new DecoderFixture()) {
        decoder.receive(cut, random, 20_000);
        assertThat(decoder.frames).isEmpty();
        decoder.end();
        assertThat(decoder.failure).isNotNull().satisfies(e -> assertThat(e.fault()).isEqualTo(Fault.TRUNCATED));
        assertThat(decoder.leakedBytes()).isZero();
      }
    }
  }

  @Test
  void lengthsBeyondTheBoundAreRefusedBeforeAnythingIsAllocated() {
    for (FrameType type : FrameType.values()) {
      int[][] lengths = {
        {type.maxHeaderBytes() + 1, 0}, {0, type.maxPayloadBytes() + 1}, {-1, 0}, {0, -1}, {Integer.MAX_VALUE, Integer.MAX_VALUE},
        {Integer.MIN_VALUE, 0}
      };
      for (int[] pair : lengths) {
        ByteBuffer prefix = ByteBuffer.allocate(64);
        prefix.putShort((short) FrameCodec.MAGIC).put((byte) 1).put((byte) type.code()).putInt(pair[0]).putInt(pair[1]);
        try (DecoderFixture decoder = new DecoderFixture()) {
          decoder.receive(prefix.array(), new Random(1), 64);
          assertThat(decoder.failure).isNotNull().satisfies(e -> assertThat(e.fault()).isEqualTo(Fault.TOO_LONG));
          assertThat(decoder.largestAllocationBytes).isLessThanOrEqualTo(SMALL_READ_BYTES);
          assertThat(decoder.leakedBytes()).isZero();
        }
      }
    }
  }

  @Test
  void randomBytesAreNoFramesAndCostLittle() {
    Random random = new Random(9);
    for (int i = 0; i < 500; i++) {
      byte[] bytes = new byte[FrameCodec.PREFIX_BYTES + random.nextInt(3000)];
      random.nextBytes(bytes);
      if (random.nextInt(3) == 0) {
        bytes[0] = 'P';
        bytes[1] = 'L';
        bytes[2] = 1;
        bytes[3] = (byte) random.nextInt(40);
      }
      try (DecoderFixture decoder = new DecoderFixture()) {
        decoder.receive(bytes, random, 5000);
        decoder.end();
        for (Frame frame : decoder.frames) {
          assertThatThrownBy(() -> frame.message(MessageLite.class)).isInstanceOf(FrameException.class);
        }
        assertThat(decoder.frames.isEmpty() && decoder.failure == null).isFalse();
        assertThat(decoder.largestAllocationBytes).isLessThanOrEqualTo((2 << 20) + 2 * SMALL_READ_BYTES);
        assertThat(decoder.leakedBytes()).isZero();
      }
    }
  }

  @Test
  void anotherProtocolIsCalledByItsName() {
    try (DecoderFixture decoder = new DecoderFixture()) {
      decoder.receive("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII), new Random(1), 100);
      assertThat(decoder.failure).hasMessageContaining("HTTP");
    }
  }

  @Test
  void aHeaderThatIsNoMessageIsMalformed() {
    // Field 1 as a length-delimited value that is longer than the header, with a correct checksum.
    ByteBuffer bytes = ByteBuffer.allocate(FrameCodec.PREFIX_BYTES + 2);
    bytes.putShort((short) FrameCodec.MAGIC).put((byte) 1).put((byte) FrameType.OPEN_MIGRATION.code()).putInt(2).putInt(0);
    java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
    crc.update(bytes.array(), 0, 12);
    crc.update(new byte[] {0x0a, 0x7f});
    bytes.putInt((int) crc.getValue()).put((byte) 0x0a).put((byte) 0x7f);
    try (DecoderFixture decoder = new DecoderFixture()) {
      decoder.receive(bytes.array(), new Random(1), 100);
      assertThatThrownBy(() -> decoder.frames.get(0).message(MessageLite.class))
          .isInstanceOfSatisfying(FrameException.class, e -> assertThat(e.fault()).isEqualTo(Fault.MALFORMED));
    }
  }

  @Test
  void runsAreCheckedAgainstThePayloadAndTheAddressSpace() {
    assertMalformed(new byte[4096], run(0, 2, 0));
    assertMalformed(new byte[0], run(-1, 1, 1));
    assertMalformed(new byte[0], run(0, 0, 1));
    assertMalformed(new byte[0], run(0, -1, 1));
    assertMalformed(new byte[0], run(1L << 52, 1, 1));
    assertMalformed(new byte[0], run(0, 1, 3));
    assertMalformed(new byte[0]);
    assertMalformed(new byte[0], java.util.Collections.nCopies(1025, run(0, 1, 1)).toArray(PageRun[]::new));
  }

  private static PageRun run(long first, int count, int kind) {
    return PageRun.newBuilder().setFirstPage(first).setPageCount(count).setKindValue(kind).build();
  }

  private static void assertMalformed(byte[] payload, PageRun... runs) {
    Made made = new Made(FrameType.PAGE_BATCH, PageBatch.newBuilder().addAllRuns(List.of(runs)).build(), payload);
    try (DecoderFixture decoder = new DecoderFixture()) {
      decoder.receive(made.bytes(), new Random(1), 5000);
      Frame frame = decoder.frames.get(0);
      assertThatThrownBy(() -> Messages.fromWire(frame, frame.message(PageBatch.class).getRunsList()))
          .isInstanceOfSatisfying(FrameException.class, e -> assertThat(e.fault()).isEqualTo(Fault.MALFORMED));
    }
  }
}
