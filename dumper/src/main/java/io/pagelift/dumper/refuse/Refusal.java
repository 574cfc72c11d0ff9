package io.pagelift.dumper.refuse;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One thing that cannot be carried over.
 *
 * @param pid the process that has it
 * @param object what it is, as the user would call it: "fd 7 (TCP socket)", "mapping 7f00-7f01 (hugetlb)"
 * @param reason why it cannot be carried
 * @param remedy what the user can do
 * @param passing it may be gone in a moment, so that another try is worth it
 */
public record Refusal(int pid, String object, String reason, String remedy, boolean passing) {
  /** How many are told in one message; the rest is counted. */
  private static final int TOLD = 20;

  /** One that stays. */
  public Refusal(int pid, String object, String reason, String remedy) {
    this(pid, object, reason, remedy, false);
  }

  /** One sentence for the terminal. */
  public String sentence() {
    return "Process " + pid + ": " + object + ": " + reason + "; " + remedy + ".";
  }

  /** All of them, a line each. */
  public static String sentences(List<Refusal> refusals) {
    String told = refusals.stream().limit(TOLD).map(Refusal::sentence).distinct().collect(Collectors.joining("\n"));
    return refusals.size() <= TOLD ? told : told + "\nAnd " + (refusals.size() - TOLD) + " more.";
  }
}
