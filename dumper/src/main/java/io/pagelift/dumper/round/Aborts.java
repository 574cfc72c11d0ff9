package io.pagelift.dumper.round;

import io.pagelift.wire.RoundWriter;

/** Gives a round up after a failure. */
final class Aborts {
  private Aborts() {}

  /** Tells the server; what goes wrong meanwhile is attached to the failure that counts. */
  static void abort(RoundWriter writer, RuntimeException failure) {
    try {
      String reason = failure.getMessage();
      writer.abort(reason == null ? failure.getClass().getSimpleName() : reason);
    } catch (RuntimeException second) {
      failure.addSuppressed(second);
    }
  }
}
