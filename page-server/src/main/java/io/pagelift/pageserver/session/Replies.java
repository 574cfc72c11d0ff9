package io.pagelift.pageserver.session;

import io.pagelift.common.PageRuns;
import io.pagelift.wire.FrameCodec;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.proto.HeldRuns;

/** Answers that writers and readers both get. */
final class Replies {
  private Replies() {}

  /** Sends the runs of an object in as many frames as they need, the last one marked. */
  static void held(Outbound out, long objectId, PageRuns held) {
    HeldRuns.Builder answer = HeldRuns.newBuilder().setObjectId(objectId);
    for (int i = 0; i < held.runCount(); i++) {
      long first = held.firstPage(i);
      while (first < held.endPage(i)) {
        int count = (int) Math.min(held.endPage(i) - first, Integer.MAX_VALUE);
        if (answer.getFirstPageCount() == FrameCodec.MAX_RUNS_PER_ANSWER) {
          out.send(FrameType.HELD_RUNS, answer.build());
          answer.clearFirstPage().clearPageCount();
        }
        answer.addFirstPage(first).addPageCount(count);
        first += count;
      }
    }
    out.send(FrameType.HELD_RUNS, answer.setLast(true).build());
  }
}
