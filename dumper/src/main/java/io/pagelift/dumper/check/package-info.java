/** What this kernel and this user can do for us, told before anybody depends on it. */
@org.jspecify.annotations.NullMarked
package io.pagelift.dumper.check;
