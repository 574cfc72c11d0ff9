package io.pagelift.wire;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;

/** Received bytes that are not a valid frame. The connection they came from is of no use any more. */
public final class FrameException extends PageliftException {
  /** What is wrong with the bytes. */
  public enum Fault {
    /** They do not begin like a frame: the peer speaks another protocol, or the stream lost its place. */
    NOT_PAGELIFT,
    /** The code of the frame's type is unknown. */
    UNKNOWN_TYPE,
    /** The announced header or payload is longer than its type allows. */
    TOO_LONG,
    /** The checksum does not match. */
    CHECKSUM,
    /** The header is not the message that the type promises, or its fields contradict each other. */
    MALFORMED,
    /** The connection ended inside a frame. */
    TRUNCATED
  }

  private final Fault fault;

  FrameException(Fault fault, String message) {
    super(category(fault), message);
    this.fault = fault;
  }

  private static ErrorCategory category(Fault fault) {
    return switch (fault) {
      case NOT_PAGELIFT, TRUNCATED -> ErrorCategory.REMOTE;
      case UNKNOWN_TYPE, TOO_LONG, CHECKSUM, MALFORMED -> ErrorCategory.CORRUPT;
    };
  }

  /** What is wrong with the bytes. */
  public Fault fault() {
    return fault;
  }
}
