package io.pagelift.dumper.round;

import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What a tracker holder remembers of the tracking of one process, in a memfd beside the userfaultfd.
 *
 * <pre>
 *  0        8        12       16        20                  84
 *  +--------+--------+--------+---------+-------------------+
 *  | magic  | round  | state  | length  | token, UTF-8      |
 *  +--------+--------+--------+---------+-------------------+
 * </pre>
 *
 * <p>A scan re-arms the write protection of what it reports: from then on the only trace of those writes is in the memory of the
 * dumper that scanned. So the record says SCANNING from before the first scan of a round until the round is committed at the
 * server; whoever finds it so later knows that dirty bits may be lost and starts anew.
 *
 * @param token names the unbroken run of tracking, as the server's manifests do
 * @param round the last round that was begun
 * @param state whether that round was committed
 */
record TrackingRecord(String token, int round, State state) {
  enum State {
    /** A scan may have taken dirty bits that no committed round has. */
    SCANNING(1),
    /** Everything written since the scan of {@code round} is still marked as written. */
    COMMITTED(2);

    private final int code;

    State(int code) {
      this.code = code;
    }
  }

  static final int LENGTH_BYTES = 84;
  private static final long MAGIC = 0x314b52544c475041L;
  private static final int TOKEN_OFFSET = 20;
  private static final int MAX_TOKEN_BYTES = LENGTH_BYTES - TOKEN_OFFSET;

  /** A memfd for records. */
  static FileDescriptor newFile() {
    return FileDescriptor.memfd("pagelift-tracking", Constants.MFD_CLOEXEC);
  }

  /** Replaces the record in the memfd by this one. */
  void write(FileDescriptor file) {
    byte[] text = token.getBytes(StandardCharsets.UTF_8);
    if (text.length > MAX_TOKEN_BYTES) {
      throw new IllegalArgumentException("token of " + text.length + " bytes");
    }
    ByteBuffer record = ByteBuffer.allocateDirect(LENGTH_BYTES).order(ByteOrder.nativeOrder());
    record.putLong(MAGIC).putInt(round).putInt(state.code).putInt(text.length).put(text);
    try {
      file.pwrite(Kernel.address(record), LENGTH_BYTES, 0);
    } finally {
      Reference.reachabilityFence(record);
    }
  }

  /** The record in the memfd; empty when there is none that makes sense. */
  static Optional<TrackingRecord> read(FileDescriptor file) {
    ByteBuffer record = ByteBuffer.allocateDirect(LENGTH_BYTES).order(ByteOrder.nativeOrder());
    int count = file.pread(Kernel.address(record), LENGTH_BYTES, 0);
    if (count != LENGTH_BYTES || record.getLong() != MAGIC) {
      return Optional.empty();
    }
    int round = record.getInt();
    int state = record.getInt();
    int length = record.getInt();
    boolean committed = state == State.COMMITTED.code;
    if ((!committed && state != State.SCANNING.code) || length < 0 || length > MAX_TOKEN_BYTES) {
      return Optional.empty();
    }
    byte[] text = new byte[length];
    record.get(text);
    String token = new String(text, StandardCharsets.UTF_8);
    return Optional.of(new TrackingRecord(token, round, committed ? State.COMMITTED : State.SCANNING));
  }
}
