/** Figures of a running page-server in Prometheus' text format, on a port of their own. */
@NullMarked
package io.pagelift.pageserver.metrics;

import org.jspecify.annotations.NullMarked;
