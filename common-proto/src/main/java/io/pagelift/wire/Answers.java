package io.pagelift.wire;

import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.wire.proto.HeldRequest;
import io.pagelift.wire.proto.HeldRuns;

/** Requests whose answers come in several frames and that writers and readers both make. */
final class Answers {
  private Answers() {}

  static PageRuns held(Connection connection, long objectId) {
    String question = "HELD_REQUEST of object " + objectId;
    connection.send(FrameType.HELD_REQUEST, HeldRequest.newBuilder().setObjectId(objectId).build());
    PageRuns.Builder held = new PageRuns.Builder();
    boolean last = false;
    while (!last) {
      Frame frame = connection.awaitReply(FrameType.HELD_RUNS, question, connection.options().replyTimeout());
      try {
        HeldRuns runs = frame.message(HeldRuns.class);
        if (runs.getFirstPageCount() != runs.getPageCountCount() || runs.getFirstPageCount() > FrameCodec.MAX_RUNS_PER_ANSWER) {
          throw connection.fail(frame.malformed("its lists do not have the same length"));
        }
        Messages.PageRunCheck check = new Messages.PageRunCheck(frame);
        for (int i = 0; i < runs.getFirstPageCount(); i++) {
          PageRun run = check.run(runs.getFirstPage(i), runs.getPageCount(i), PageRun.Kind.DATA);
          held.add(run.firstPage(), run.endPage());
        }
        last = runs.getLast();
      } finally {
        frame.release();
      }
    }
    return held.build();
  }
}
