package io.pagelift.pageserver.session;

import io.netty.buffer.ByteBuf;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.MigrationReader;
import io.pagelift.tls.Grants.Right;
import io.pagelift.wire.Frame;
import io.pagelift.wire.FrameCodec;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.Messages;
import io.pagelift.wire.proto.HeldRequest;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.ImageRequest;
import io.pagelift.wire.proto.PageData;
import io.pagelift.wire.proto.PlaceRuns;
import io.pagelift.wire.proto.PlacesRequest;
import io.pagelift.wire.proto.ReadRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Serves the pages and images of one migration. Read from the store into a pooled buffer, written from there. */
final class ReadingRole implements Role {
  private final MigrationReader reader;
  private final Outbound out;
  private final ClientRights rights;

  ReadingRole(MigrationReader reader, Outbound out, ClientRights rights) {
    this.reader = reader;
    this.out = out;
    this.rights = rights;
  }

  @Override
  public void take(Frame frame, boolean more) {
    switch (frame.type()) {
      case HELD_REQUEST -> {
        long objectId = frame.message(HeldRequest.class).getObjectId();
        Replies.held(out, objectId, reader.held(objectId));
      }
      case PLACES_REQUEST -> places(frame.message(PlacesRequest.class).getObjectId());
      case IMAGE_REQUEST -> {
        mayRestore();
        image(frame.message(ImageRequest.class).getName());
      }
      case READ_REQUEST -> {
        mayRestore();
        read(frame, frame.message(ReadRequest.class));
      }
      default -> throw new PageliftException(
          ErrorCategory.REMOTE, "a " + frame.type() + " frame has no meaning while a migration is read");
    }
  }

  @Override
  public boolean fatal(Frame frame) {
    return switch (frame.type()) {
      case HELD_REQUEST, PLACES_REQUEST, IMAGE_REQUEST, READ_REQUEST -> false;
      default -> true;
    };
  }

  private void mayRestore() {
    rights.check(Right.RESTORE, reader.name());
  }

  private void places(long objectId) {
    PlaceRuns.Builder answer = PlaceRuns.newBuilder().setObjectId(objectId);
    for (PagePlace place : reader.places(objectId)) {
      if (answer.getFirstPageCount() == FrameCodec.MAX_RUNS_PER_ANSWER) {
        out.send(FrameType.PLACE_RUNS, answer.build());
        answer.clearFirstPage().clearPageCount().clearSegment().clearSegmentPage();
      }
      answer
          .addFirstPage(place.firstPage())
          .addPageCount(place.pageCount())
          .addSegment(place.segment())
          .addSegmentPage(place.segmentPage());
    }
    out.send(FrameType.PLACE_RUNS, answer.setLast(true).build());
  }

  private void image(String name) {
    Names.check(name, "the name of an image");
    long totalBytes = reader.imageBytes(name);
    long offset = 0;
    while (offset < totalBytes) {
      int partBytes = (int) Math.min(totalBytes - offset, FrameType.IMAGE_PART.maxPayloadBytes());
      long at = offset;
      ByteBuf payload = filled(partBytes, into -> reader.readImage(name, at, into));
      ImagePart part = ImagePart.newBuilder().setName(name).setOffset(offset).setTotalBytes(totalBytes).build();
      out.send(FrameType.IMAGE_PART, part, payload);
      offset += partBytes;
    }
  }

  private void read(Frame frame, ReadRequest request) {
    int count = request.getFirstPageCount();
    if (count == 0 || count != request.getPageCountCount() || count > FrameCodec.MAX_RUNS_PER_ANSWER) {
      throw frame.malformed("its lists are empty, too long or of different lengths");
    }
    Batch batch = new Batch(request.getObjectId());
    for (int i = 0; i < count; i++) {
      PageRun run = checkedRun(frame, request.getFirstPage(i), request.getPageCount(i));
      long first = run.firstPage();
      while (first < run.endPage()) {
        if (batch.full()) {
          batch.send(false);
        }
        first += batch.add(first, run.endPage());
      }
    }
    batch.send(true);
  }

  private static PageRun checkedRun(Frame frame, long firstPage, int pageCount) {
    try {
      return PageRun.data(firstPage, pageCount);
    } catch (IllegalArgumentException e) {
      throw frame.malformed("page " + Long.toUnsignedString(firstPage) + ", count " + Integer.toUnsignedString(pageCount)
          + " is no run of pages");
    }
  }

  private interface Filler {
    void fill(ByteBuffer into);
  }

  private ByteBuf filled(int lengthBytes, Filler filler) {
    ByteBuf payload = out.buffer(lengthBytes);
    boolean whole = false;
    try {
      ByteBuffer into = payload.nioBuffer(0, lengthBytes);
      filler.fill(into);
      if (into.hasRemaining()) {
        throw new PageliftException(ErrorCategory.INTERNAL, "the store gave less than was asked for");
      }
      payload.writerIndex(lengthBytes);
      whole = true;
      return payload;
    } finally {
      if (!whole) {
        payload.release();
      }
    }
  }

  /** The runs of the next PAGE_DATA frame: up to 256 pages, read when it is sent. */
  private final class Batch {
    private final long objectId;
    private final List<PageRun> runs = new ArrayList<>();
    private int pages;

    Batch(long objectId) {
      this.objectId = objectId;
    }

    boolean full() {
      return pages == FrameCodec.MAX_PAGES_PER_BATCH || runs.size() == FrameCodec.MAX_RUNS_PER_BATCH;
    }

    /** Adds as many pages as fit, and says how many. */
    int add(long firstPage, long endPage) {
      int added = (int) Math.min(endPage - firstPage, FrameCodec.MAX_PAGES_PER_BATCH - pages);
      runs.add(PageRun.data(firstPage, added));
      pages += added;
      return added;
    }

    void send(boolean last) {
      PageData data = PageData.newBuilder().setObjectId(objectId).addAllRuns(Messages.toWire(runs)).setLast(last).build();
      ByteBuf payload =
          filled(
              pages * PageRun.PAGE_BYTES,
              into -> {
                for (PageRun run : runs) {
                  reader.readPages(objectId, run.firstPage(), run.pageCount(), into);
                }
              });
      runs.clear();
      pages = 0;
      out.send(FrameType.PAGE_DATA, data, payload);
    }
  }

  @Override
  public void close() {
    reader.close();
  }
}
