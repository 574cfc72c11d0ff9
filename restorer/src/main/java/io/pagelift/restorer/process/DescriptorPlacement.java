package io.pagelift.restorer.process;

import java.util.ArrayList;
import java.util.List;

/**
 * Puts descriptors under their numbers inside a process that has none yet.
 *
 * <p>{@code pidfd_getfd} gives the lowest free number, and results of one call can't be arguments of a later call of the same
 * batch. Because the table starts out empty and everything happens in ascending order, the number that the kernel gives can be
 * worked out beforehand: it is the lowest one not taken yet. Either that is the wanted number, or the new descriptor is moved
 * up with {@code dup3} and its first number closed.
 */
final class DescriptorPlacement {
  /**
   * One descriptor to place.
   *
   * @param number its number in the process
   * @param sourceNumber its number in the restorer
   */
  record Wanted(int number, int sourceNumber) {}

  /**
   * One move.
   *
   * @param sourceNumber what to fetch from the restorer
   * @param fetchedNumber the number that the kernel will give
   * @param number the number where it belongs
   */
  record Move(int sourceNumber, int fetchedNumber, int number) {
    boolean inPlace() {
      return fetchedNumber == number;
    }
  }

  private DescriptorPlacement() {}

  /**
   * The moves for descriptors that are ascending by number, into a table with one entry.
   *
   * @param taken the number of that entry, none of those wanted
   */
  static List<Move> of(List<Wanted> wanted, int taken) {
    List<Move> moves = new ArrayList<>(wanted.size());
    int lowestFree = 0;
    int last = -1;
    for (Wanted descriptor : wanted) {
      if (descriptor.number() <= last) {
        throw new IllegalArgumentException("descriptors are not ascending at " + descriptor.number());
      }
      last = descriptor.number();
      lowestFree += lowestFree == taken ? 1 : 0;
      moves.add(new Move(descriptor.sourceNumber(), lowestFree, descriptor.number()));
      if (lowestFree == descriptor.number()) {
        lowestFree++;
      }
    }
    return moves;
  }
}
