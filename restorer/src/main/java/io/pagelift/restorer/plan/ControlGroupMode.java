package io.pagelift.restorer.plan;

/** What becomes of the control groups, cgroups(7), that a tree was in. */
public enum ControlGroupMode {
  /** The same paths as at the source; one that is missing here is refused. */
  STRICT,
  /** The same paths where they are there; elsewhere the restorer's own groups. */
  SOFT,
  /** The restorer's own groups. */
  IGNORE
}
