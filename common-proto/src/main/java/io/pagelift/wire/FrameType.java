package io.pagelift.wire;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.pagelift.wire.proto.BatchAck;
import io.pagelift.wire.proto.Error;
import io.pagelift.wire.proto.HandoverRequest;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HeldRequest;
import io.pagelift.wire.proto.HeldRuns;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.ImageRequest;
import io.pagelift.wire.proto.ListReply;
import io.pagelift.wire.proto.ListRequest;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.OpenMigration;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.PageData;
import io.pagelift.wire.proto.Ping;
import io.pagelift.wire.proto.PlaceRuns;
import io.pagelift.wire.proto.PlacesRequest;
import io.pagelift.wire.proto.Pong;
import io.pagelift.wire.proto.ReadRequest;
import io.pagelift.wire.proto.RoundAbort;
import io.pagelift.wire.proto.RoundAborted;
import io.pagelift.wire.proto.RoundBegin;
import io.pagelift.wire.proto.RoundBegun;
import io.pagelift.wire.proto.RoundCommit;
import io.pagelift.wire.proto.RoundCommitted;
import io.pagelift.wire.proto.RoundState;
import io.pagelift.wire.proto.RoundWait;
import org.jspecify.annotations.Nullable;

/**
 * The kinds of frames: code on the wire, message in the header, and the most bytes that header and payload may have.
 *
 * <p>Codes are never used again for another meaning.
 */
public enum FrameType {
  HELLO(1, Hello.parser(), Bounds.SMALL, 0),
  ERROR(2, Error.parser(), Bounds.SMALL, 0),
  PING(3, Ping.parser(), Bounds.SMALL, 0),
  PONG(4, Pong.parser(), Bounds.SMALL, 0),
  OPEN_MIGRATION(10, OpenMigration.parser(), Bounds.SMALL, 0),
  MIGRATION_OPENED(11, MigrationOpened.parser(), Bounds.LIST, 0),
  LIST_REQUEST(12, ListRequest.parser(), Bounds.SMALL, 0),
  LIST_REPLY(13, ListReply.parser(), Bounds.LIST, 0),
  ROUND_BEGIN(20, RoundBegin.parser(), Bounds.SMALL, 0),
  ROUND_BEGUN(21, RoundBegun.parser(), Bounds.SMALL, 0),
  PAGE_BATCH(22, PageBatch.parser(), Bounds.RUNS, Bounds.PAYLOAD),
  BATCH_ACK(23, BatchAck.parser(), Bounds.SMALL, 0),
  IMAGE_PART(24, ImagePart.parser(), Bounds.SMALL, Bounds.PAYLOAD),
  ROUND_COMMIT(25, RoundCommit.parser(), Bounds.LIST, 0),
  ROUND_COMMITTED(26, RoundCommitted.parser(), Bounds.SMALL, 0),
  ROUND_ABORT(27, RoundAbort.parser(), Bounds.SMALL, 0),
  ROUND_ABORTED(28, RoundAborted.parser(), Bounds.SMALL, 0),
  HELD_REQUEST(30, HeldRequest.parser(), Bounds.SMALL, 0),
  HELD_RUNS(31, HeldRuns.parser(), Bounds.RUNS, 0),
  IMAGE_REQUEST(32, ImageRequest.parser(), Bounds.SMALL, 0),
  PLACES_REQUEST(33, PlacesRequest.parser(), Bounds.SMALL, 0),
  PLACE_RUNS(34, PlaceRuns.parser(), Bounds.RUNS, 0),
  READ_REQUEST(35, ReadRequest.parser(), Bounds.RUNS, 0),
  PAGE_DATA(36, PageData.parser(), Bounds.RUNS, Bounds.PAYLOAD),
  HANDOVER(40, HandoverRequest.parser(), Bounds.SMALL, 0),
  HANDOVER_STATE(41, HandoverState.parser(), Bounds.SMALL, 0),
  ROUND_WAIT(42, RoundWait.parser(), Bounds.SMALL, 0),
  ROUND_STATE(43, RoundState.parser(), Bounds.SMALL, 0);

  /** Why these values: see each. */
  private static final class Bounds {
    /** Names and sentences; 16 KiB is ten times the longest. */
    static final int SMALL = 16 << 10;

    /** 1024 runs of at most 20 bytes as protobuf, and {@link FrameCodec#MAX_RUNS_PER_ANSWER} of answers, with room to spare. */
    static final int RUNS = 128 << 10;

    /** Objects of a tree of 10,000 processes, or 10,000 migrations. */
    static final int LIST = 1 << 20;

    /** 256 pages: the best size for process_vm_readv, and small enough that one slow peer holds little memory. */
    static final int PAYLOAD = 1 << 20;
  }

  private static final int CODES = 64;
  private static final FrameType[] BY_CODE = new FrameType[CODES];

  static {
    for (FrameType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;
  private final Parser<? extends MessageLite> parser;
  private final int maxHeaderBytes;
  private final int maxPayloadBytes;

  FrameType(int code, Parser<? extends MessageLite> parser, int maxHeaderBytes, int maxPayloadBytes) {
    this.code = code;
    this.parser = parser;
    this.maxHeaderBytes = maxHeaderBytes;
    this.maxPayloadBytes = maxPayloadBytes;
  }

  static @Nullable FrameType ofCode(int code) {
    return code >= 0 && code < CODES ? BY_CODE[code] : null;
  }

  int code() {
    return code;
  }

  Parser<? extends MessageLite> parser() {
    return parser;
  }

  /** Most bytes of the header. */
  public int maxHeaderBytes() {
    return maxHeaderBytes;
  }

  /** Most bytes of the payload; 0 for frames without one. */
  public int maxPayloadBytes() {
    return maxPayloadBytes;
  }
}
