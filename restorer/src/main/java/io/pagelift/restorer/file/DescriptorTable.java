package io.pagelift.restorer.file;

import java.util.Map;

/**
 * The descriptors of a process that is being rebuilt.
 *
 * @param openFileIds by descriptor number
 * @param restorerNumbers the restorer's own descriptor of each open file, by its id
 * @param restorer a number in the process under which it holds a pidfd of the restorer, to fetch descriptors with
 */
public record DescriptorTable(
    Map<Integer, Integer> openFileIds, Map<Integer, Integer> restorerNumbers, int restorer) {
  /** Whether the process has this open file under this number. */
  public boolean has(int fd, int openFileId) {
    Integer id = openFileIds.get(fd);
    return id != null && id == openFileId;
  }
}
