/** What belongs to one thread: registers, signal mask, registrations, credentials, scheduling, an interrupted call. */
package io.pagelift.dumper.thread;
