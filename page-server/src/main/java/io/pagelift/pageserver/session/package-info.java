/**
 * The page-server's connections.
 *
 * <pre>
 * event loop:  FrameDecoder -> SessionChannel -> FrameQueue (bounded; full: the socket is not read)
 * worker:                                        FrameQueue -> Session -> WritingRole | ReadingRole -> store
 * answers:     Outbound -> channel (bounded; full: the worker waits)
 * </pre>
 */
@NullMarked
package io.pagelift.pageserver.session;

import org.jspecify.annotations.NullMarked;
