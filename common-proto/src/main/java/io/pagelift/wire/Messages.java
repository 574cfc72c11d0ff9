package io.pagelift.wire;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.Error;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.Limits;
import io.pagelift.wire.proto.RoundCommitted;
import java.util.ArrayList;
import java.util.List;

/** Translates between messages on the wire and what the rest of the program calls the same things; checks ranges on the way in. */
public final class Messages {
  /** Longest sentence of an ERROR frame; what is longer is cut. */
  private static final int MAX_ERROR_CHARS = 2000;

  private static final List<PageRun.Kind> KINDS = List.of(PageRun.Kind.DATA, PageRun.Kind.ZERO, PageRun.Kind.DROP);

  private Messages() {}

  /** The HELLO of this program. */
  public static Hello hello(String software, int windowBytes) {
    Limits limits =
        Limits.newBuilder()
            .setMaxHeaderBytes(FrameType.ROUND_COMMIT.maxHeaderBytes())
            .setMaxPayloadBytes(FrameType.PAGE_BATCH.maxPayloadBytes())
            .setWindowBytes(windowBytes)
            .build();
    return Hello.newBuilder()
        .setVersion(FrameCodec.PROTOCOL_VERSION)
        .addFeatures("image-parts")
        .setLimits(limits)
        .setSoftware(software)
        .build();
  }

  /**
   * Checks the other end's HELLO.
   *
   * @param peer how to call the other end in a message
   * @throws PageliftException REMOTE, when the two cannot talk
   */
  public static void checkHello(Hello hello, String peer) {
    if (hello.getVersion() != FrameCodec.PROTOCOL_VERSION) {
      throw new PageliftException(
          ErrorCategory.REMOTE,
          peer + " speaks version " + Integer.toUnsignedString(hello.getVersion()) + " of the protocol, this program version "
              + FrameCodec.PROTOCOL_VERSION + ": use the same release of Pagelift at both ends");
    }
    Limits limits = hello.getLimits();
    if (Integer.compareUnsigned(limits.getMaxPayloadBytes(), FrameType.PAGE_BATCH.maxPayloadBytes()) < 0
        || Integer.compareUnsigned(limits.getMaxHeaderBytes(), FrameType.PAGE_BATCH.maxHeaderBytes()) < 0
        || Long.compareUnsigned(limits.getWindowBytes(), 2L * FrameType.PAGE_BATCH.maxPayloadBytes()) < 0) {
      throw new PageliftException(
          ErrorCategory.REMOTE, peer + " accepts less than this program has to send (its limits are too small for one batch of pages)");
    }
  }

  /** Runs for the wire. */
  public static Iterable<io.pagelift.wire.proto.PageRun> toWire(List<PageRun> runs) {
    List<io.pagelift.wire.proto.PageRun> wire = new ArrayList<>(runs.size());
    for (PageRun run : runs) {
      wire.add(
          io.pagelift.wire.proto.PageRun.newBuilder()
              .setFirstPage(run.firstPage())
              .setPageCount(run.pageCount())
              .setKindValue(KINDS.indexOf(run.kind()))
              .build());
    }
    return wire;
  }

  /**
   * Runs from the wire, checked: at least one and at most {@link FrameCodec#MAX_RUNS_PER_BATCH}, page numbers in range, as many
   * DATA pages as the frame's payload has.
   *
   * @throws FrameException MALFORMED
   */
  public static List<PageRun> fromWire(Frame frame, List<io.pagelift.wire.proto.PageRun> wire) {
    if (wire.isEmpty() || wire.size() > FrameCodec.MAX_RUNS_PER_BATCH) {
      throw frame.malformed("it has " + wire.size() + " runs, not 1 to " + FrameCodec.MAX_RUNS_PER_BATCH);
    }
    List<PageRun> runs = new ArrayList<>(wire.size());
    long dataPages = 0;
    for (io.pagelift.wire.proto.PageRun run : wire) {
      int kind = run.getKindValue();
      if (kind < 0 || kind >= KINDS.size()) {
        throw frame.malformed("a run is of unknown kind " + kind);
      }
      PageRun checked = new PageRunCheck(frame).run(run.getFirstPage(), run.getPageCount(), KINDS.get(kind));
      dataPages += checked.kind() == PageRun.Kind.DATA ? checked.pageCount() : 0;
      runs.add(checked);
    }
    if (dataPages * PageRun.PAGE_BYTES != frame.payloadBytes()) {
      throw frame.malformed("its runs have " + dataPages + " pages of data, its payload " + frame.payloadBytes() + " bytes");
    }
    return runs;
  }

  /** Checks page numbers that came in a frame. */
  record PageRunCheck(Frame frame) {
    PageRun run(long firstPage, int pageCount, PageRun.Kind kind) {
      try {
        return new PageRun(firstPage, pageCount, kind);
      } catch (IllegalArgumentException e) {
        throw frame.malformed("page " + Long.toUnsignedString(firstPage) + ", count " + Integer.toUnsignedString(pageCount)
            + " is no run of pages");
      }
    }
  }

  /** The outcome of a round for the wire. */
  public static RoundCommitted toWire(RoundResult result) {
    return RoundCommitted.newBuilder()
        .setRound(result.round())
        .setPagesStored(result.pagesStored())
        .setPagesZero(result.pagesZero())
        .setPagesDropped(result.pagesDropped())
        .setPagesDeduplicatedRound(result.deduplicated().sameRound())
        .setPagesDeduplicatedEarlier(result.deduplicated().earlierRound())
        .setPagesDeduplicatedProcess(result.deduplicated().otherProcess())
        .setPagesDeduplicatedMigration(result.deduplicated().otherMigration())
        .setBytesStored(result.bytesStored())
        .setDurability(result.durability())
        .build();
  }

  /** The outcome of a round from the wire, or from a manifest. */
  public static RoundResult fromWire(RoundCommitted committed) {
    return new RoundResult(
        committed.getRound(),
        committed.getPagesStored(),
        committed.getPagesZero(),
        committed.getPagesDropped(),
        new DeduplicatedPages(
            committed.getPagesDeduplicatedRound(),
            committed.getPagesDeduplicatedEarlier(),
            committed.getPagesDeduplicatedProcess(),
            committed.getPagesDeduplicatedMigration()),
        committed.getBytesStored(),
        committed.getDurability());
  }

  /** A failure for the wire. */
  public static Error toWire(PageliftException failure, boolean fatal) {
    String message = String.valueOf(failure.getMessage());
    Error.Category category =
        switch (failure.category()) {
          case INTERNAL -> Error.Category.INTERNAL;
          case USAGE -> Error.Category.USAGE;
          case REFUSED -> Error.Category.REFUSED;
          case REMOTE -> Error.Category.REMOTE;
          case CORRUPT -> Error.Category.CORRUPT;
          case EXHAUSTED -> Error.Category.EXHAUSTED;
        };
    return Error.newBuilder()
        .setCategory(category)
        .setMessage(message.substring(0, Math.min(message.length(), MAX_ERROR_CHARS)))
        .setFatal(fatal)
        .build();
  }

  static PageliftException fromWire(Error error, String peer) {
    ErrorCategory category =
        switch (error.getCategory()) {
          case USAGE -> ErrorCategory.USAGE;
          case REFUSED -> ErrorCategory.REFUSED;
          case REMOTE -> ErrorCategory.REMOTE;
          case CORRUPT -> ErrorCategory.CORRUPT;
          case EXHAUSTED -> ErrorCategory.EXHAUSTED;
          case INTERNAL, UNRECOGNIZED -> ErrorCategory.INTERNAL;
        };
    return new PageliftException(category, peer + " says: " + printable(error.getMessage()));
  }

  /** What a peer calls itself or says, without control characters that a terminal would obey. */
  public static String printable(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints().limit(MAX_ERROR_CHARS).forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? '?' : c));
    return out.toString();
  }
}
