package io.pagelift.restorer.process;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs how long each phase of a restore took; seen with -v. */
final class Phases {
  private static final Logger LOG = LoggerFactory.getLogger(Phases.class);

  private long begunNanos = System.nanoTime();

  /** Ends a phase and begins the next one. */
  void done(String what) {
    long now = System.nanoTime();
    LOG.debug("{} in {} us", what, TimeUnit.NANOSECONDS.toMicros(now - begunNanos));
    begunNanos = now;
  }
}
