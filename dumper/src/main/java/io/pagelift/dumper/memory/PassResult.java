package io.pagelift.dumper.memory;

/**
 * What one pass over an address space did, in pages of 4096 bytes.
 *
 * @param scannedPages pages that the pass had to decide about: sent or skipped
 * @param skippedPages held by the server and not written since, or found to have the same contents
 * @param dataPages sent with their contents
 * @param zeroPages sent as zero
 * @param droppedPages taken back
 * @param unreadPages written, but gone before they could be read
 * @param processGone the process exited during the pass
 * @param scanNanos time for finding what to send
 * @param readNanos time for reading and sending
 */
public record PassResult(
    long scannedPages,
    long skippedPages,
    long dataPages,
    long zeroPages,
    long droppedPages,
    long unreadPages,
    boolean processGone,
    long scanNanos,
    long readNanos) {}
