package io.pagelift.pageserver.session;

import io.pagelift.wire.RoundResult;

/** Told of what happens in all sessions, for figures. Called by workers and event loops; must not wait. */
public interface SessionEvents {
  /** Nobody is told. */
  SessionEvents NONE =
      new SessionEvents() {
        @Override
        public void received(int lengthBytes) {}

        @Override
        public void roundCommitted(RoundResult result, long nanos) {}

        @Override
        public void roundLost() {}

        @Override
        public void notLetIn() {}
      };

  /** A frame was taken by its worker. */
  void received(int lengthBytes);

  /** A round is on stable storage; forcing it there took so long. */
  void roundCommitted(RoundResult result, long nanos);

  /** A round was given up, by its client or because that is gone. */
  void roundLost();

  /** A TLS handshake failed, or a stranger had no place. */
  void notLetIn();
}
