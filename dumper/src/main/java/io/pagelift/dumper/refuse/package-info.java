/** What cannot be carried over, found and named: before the freeze at the running tree, and again inside it. */
package io.pagelift.dumper.refuse;
