package io.pagelift.dumper.freeze;

/**
 * What the clocks said when the tree was frozen.
 *
 * @param beganNanos {@link System#nanoTime()} before the first thread of the attempt that succeeded was interrupted
 * @param completeNanos {@link System#nanoTime()} when the last thread had stopped
 * @param realtimeNanos CLOCK_REALTIME when the last thread had stopped
 * @param monotonicNanos CLOCK_MONOTONIC then
 * @param boottimeNanos CLOCK_BOOTTIME then
 */
public record FreezeTimes(
    long beganNanos, long completeNanos, long realtimeNanos, long monotonicNanos, long boottimeNanos) {}
