package io.pagelift.wire;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.ImageRequest;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.PageData;
import io.pagelift.wire.proto.PlaceRuns;
import io.pagelift.wire.proto.PlacesRequest;
import io.pagelift.wire.proto.ReadRequest;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** One migration opened for reading, as its last committed round left it. Used by one thread at a time. */
public final class ReadingSession implements AutoCloseable {
  /** Largest blob that is taken into memory; a tree image has a few KiB per process. */
  private static final long MAX_IMAGE_BYTES = 1L << 30;

  private final Connection connection;
  private final MigrationOpened opened;

  ReadingSession(Connection connection, MigrationOpened opened) {
    this.connection = connection;
    this.opened = opened;
  }

  /** What the server said when the migration was opened. */
  public MigrationOpened opened() {
    return opened;
  }

  /** A blob of the last committed round, such as "tree". */
  public byte[] image(String name) {
    connection.send(FrameType.IMAGE_REQUEST, ImageRequest.newBuilder().setName(name).build());
    byte[] image = new byte[0];
    long received = 0;
    do {
      Frame frame = awaitReply(FrameType.IMAGE_PART, "IMAGE_REQUEST of '" + name + "'");
      try {
        ImagePart part = frame.message(ImagePart.class);
        image = received == 0 ? new byte[imageBytes(frame, part)] : image;
        int partBytes = frame.payloadBytes();
        if (part.getOffset() != received || part.getTotalBytes() != image.length || partBytes == 0
            || partBytes > image.length - received) {
          throw connection.fail(frame.malformed("the parts of the image do not follow each other"));
        }
        frame.payload().get(image, Math.toIntExact(received), partBytes);
        received += partBytes;
      } finally {
        frame.release();
      }
    } while (received < image.length);
    return image;
  }

  private int imageBytes(Frame frame, ImagePart part) {
    long total = part.getTotalBytes();
    if (total < 1 || total > MAX_IMAGE_BYTES) {
      throw connection.fail(frame.malformed("an image of " + Long.toUnsignedString(total) + " bytes is not accepted"));
    }
    return (int) total;
  }

  /** The pages held for an object, merged over all rounds. */
  public PageRuns held(long objectId) {
    return Answers.held(connection, objectId);
  }

  /**
   * The pages held for an object and where they lie in the store's segments, ascending by page.
   *
   * @param sink called on this thread while the answer still comes in: it must not ask this session for anything
   */
  public void forEachPlace(long objectId, Consumer<PagePlace> sink) {
    connection.send(FrameType.PLACES_REQUEST, PlacesRequest.newBuilder().setObjectId(objectId).build());
    boolean last = false;
    while (!last) {
      Frame frame = awaitReply(FrameType.PLACE_RUNS, "PLACES_REQUEST of object " + objectId);
      try {
        PlaceRuns runs = frame.message(PlaceRuns.class);
        passOn(frame, runs, sink);
        last = runs.getLast();
      } finally {
        frame.release();
      }
    }
  }

  private void passOn(Frame frame, PlaceRuns runs, Consumer<PagePlace> sink) {
    int count = runs.getFirstPageCount();
    if (runs.getPageCountCount() != count || runs.getSegmentCount() != count || runs.getSegmentPageCount() != count) {
      throw connection.fail(frame.malformed("its lists do not have the same length"));
    }
    Messages.PageRunCheck check = new Messages.PageRunCheck(frame);
    for (int i = 0; i < count; i++) {
      PageRun run = check.run(runs.getFirstPage(i), runs.getPageCount(i), PageRun.Kind.DATA);
      sink.accept(new PagePlace(run.firstPage(), run.pageCount(), runs.getSegment(i), runs.getSegmentPage(i)));
    }
  }

  /** Reads pages, which must be held, in ascending order; the sink is called on this thread. */
  public void read(long objectId, PageRuns pages, PageSink sink) {
    ReadRequest.Builder request = ReadRequest.newBuilder().setObjectId(objectId);
    for (int i = 0; i < pages.runCount(); i++) {
      long first = pages.firstPage(i);
      while (first < pages.endPage(i)) {
        int count = (int) Math.min(pages.endPage(i) - first, Integer.MAX_VALUE);
        request.addFirstPage(first).addPageCount(count);
        first += count;
        if (request.getFirstPageCount() == FrameCodec.MAX_RUNS_PER_ANSWER) {
          readOnce(request.build(), sink);
          request.clearFirstPage().clearPageCount();
        }
      }
    }
    if (request.getFirstPageCount() > 0) {
      readOnce(request.build(), sink);
    }
  }

  private void readOnce(ReadRequest request, PageSink sink) {
    connection.send(FrameType.READ_REQUEST, request);
    String question = "READ_REQUEST of object " + request.getObjectId();
    RequestedRuns requested = new RequestedRuns(request);
    boolean last = false;
    while (!last) {
      Frame frame = awaitReply(FrameType.PAGE_DATA, question);
      try {
        PageData data = frame.message(PageData.class);
        ByteBuffer payload = frame.payload();
        for (PageRun run : Messages.fromWire(frame, data.getRunsList())) {
          if (run.kind() != PageRun.Kind.DATA || data.getObjectId() != request.getObjectId() || !requested.next(run)) {
            throw connection.fail(frame.malformed("it has pages that were not asked for"));
          }
          int lengthBytes = Math.toIntExact(run.lengthBytes());
          sink.pages(run.firstPage(), run.pageCount(), payload.slice(payload.position(), lengthBytes));
          payload.position(payload.position() + lengthBytes);
        }
        last = data.getLast();
      } finally {
        frame.release();
      }
    }
    if (!requested.done()) {
      throw connection.fail(
          new PageliftException(ErrorCategory.REMOTE, connection.peer() + " did not send all pages that were asked for"));
    }
  }

  /** Checks that answers cover the request in its order, in runs of any length. */
  private static final class RequestedRuns {
    private final ReadRequest request;
    private int index;
    private int donePages;

    RequestedRuns(ReadRequest request) {
      this.request = request;
    }

    boolean next(PageRun run) {
      if (done() || run.firstPage() != request.getFirstPage(index) + donePages
          || run.pageCount() > request.getPageCount(index) - donePages) {
        return false;
      }
      donePages += run.pageCount();
      if (donePages == request.getPageCount(index)) {
        index++;
        donePages = 0;
      }
      return true;
    }

    boolean done() {
      return index == request.getFirstPageCount();
    }
  }

  private Frame awaitReply(FrameType type, String question) {
    return connection.awaitReply(type, question, connection.options().replyTimeout());
  }

  @Override
  public void close() {
    connection.close();
  }
}
