package io.pagelift.dumper.refuse;

/**
 * One thing that cannot be carried over.
 *
 * @param pid the process that has it
 * @param object what it is, as the user would call it: "fd 7 (TCP socket)", "mapping 7f00-7f01 (hugetlb)"
 * @param reason why it cannot be carried
 * @param remedy what the user can do
 */
public record Refusal(int pid, String object, String reason, String remedy) {
  /** One sentence for the terminal. */
  public String sentence() {
    return "Process " + pid + ": " + object + ": " + reason + "; " + remedy + ".";
  }
}
