/**
 * Open files: one collector per kind, named as its message in {@code pagelift.image} and as the restorer's rebuilder.
 *
 * <p>A new kind adds its collector here and one line in {@link io.pagelift.dumper.file.FileKinds}.
 */
package io.pagelift.dumper.file;
