package io.pagelift.wire;

/**
 * What became of the pages of a committed round. Page counts are in pages of 4096 bytes.
 *
 * @param round number of the round, 1 or more
 * @param pagesStored written to a segment
 * @param pagesZero all zero, stored nowhere
 * @param pagesDropped forgotten, because they are no longer there
 * @param pagesDeduplicatedRound same content as an earlier page of this round
 * @param pagesDeduplicatedEarlier same content as a page of an earlier round or another migration
 * @param bytesStored bytes written to segments
 */
public record RoundResult(
    int round,
    long pagesStored,
    long pagesZero,
    long pagesDropped,
    long pagesDeduplicatedRound,
    long pagesDeduplicatedEarlier,
    long bytesStored) {}
