/**
 * What {@code /proc} and a few calls tell about a process from outside: read the same way from a running tree (to refuse early)
 * and from a frozen one (for the image).
 */
package io.pagelift.dumper.facts;
