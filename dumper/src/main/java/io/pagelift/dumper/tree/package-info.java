/** The state of a whole tree: what is read in the freeze, and the image that is made of it. */
package io.pagelift.dumper.tree;
