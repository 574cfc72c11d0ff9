/** Rounds: which processes take part, what keeps their tracking unbroken, and what is sent when. */
@org.jspecify.annotations.NullMarked
package io.pagelift.dumper.round;
