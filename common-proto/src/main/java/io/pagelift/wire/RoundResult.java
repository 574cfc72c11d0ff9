package io.pagelift.wire;

import io.pagelift.wire.proto.Durability;

/**
 * What became of the pages of a committed round. Page counts are in pages of 4096 bytes.
 *
 * @param round number of the round, 1 or more
 * @param pagesStored written to a segment
 * @param pagesZero all zero, stored nowhere
 * @param pagesDropped forgotten, because they are no longer there
 * @param deduplicated not stored, because the same content was there already
 * @param bytesStored bytes written to segments
 * @param durability what the server had forced when it said so
 */
public record RoundResult(
    int round,
    long pagesStored,
    long pagesZero,
    long pagesDropped,
    DeduplicatedPages deduplicated,
    long bytesStored,
    Durability durability) {}
