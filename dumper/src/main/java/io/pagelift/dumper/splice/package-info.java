/** The traditional way of a pre-dump: pages are gifted into pipes while the tree is frozen, and drained when it runs again. */
@org.jspecify.annotations.NullMarked
package io.pagelift.dumper.splice;
