package io.pagelift.pageserver.session;

import io.pagelift.wire.Frame;

/** What a session does once a migration is open: write it or read it. Called by one worker at a time. */
interface Role {
  /**
   * Takes a frame.
   *
   * @param more another frame is already waiting
   * @throws io.pagelift.common.PageliftException when the request cannot be met
   */
  void take(Frame frame, boolean more);

  /** Whether a failure of this kind of frame leaves the session without a meaning. */
  boolean fatal(Frame frame);

  /** Gives up everything that is not committed. */
  void close();
}
