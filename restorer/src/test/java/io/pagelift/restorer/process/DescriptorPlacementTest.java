package io.pagelift.restorer.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.restorer.process.DescriptorPlacement.Move;
import io.pagelift.restorer.process.DescriptorPlacement.Wanted;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class DescriptorPlacementTest {
  @Test
  void numbersWithoutGapsAreFetchedIntoPlace() {
    assertThat(DescriptorPlacement.of(List.of(new Wanted(0, 50), new Wanted(1, 51)), 1000))
        .containsExactly(new Move(50, 0, 0), new Move(51, 1, 1))
        .allMatch(Move::inPlace);
  }

  @Test
  void aNumberBehindAGapIsMovedUpFromTheLowestFreeOne() {
    assertThat(DescriptorPlacement.of(List.of(new Wanted(0, 50), new Wanted(7, 51), new Wanted(8, 52)), 1000))
        .containsExactly(new Move(50, 0, 0), new Move(51, 1, 7), new Move(52, 1, 8));
  }

  @Test
  void aNumberThatIsTakenIsNeverTheLowestFreeOne() {
    assertThat(DescriptorPlacement.of(List.of(new Wanted(0, 50), new Wanted(2, 51), new Wanted(7, 52)), 1))
        .containsExactly(new Move(50, 0, 0), new Move(51, 2, 2), new Move(52, 3, 7));
  }

  @Test
  void theFetchedNumberIsAlwaysTheLowestThatATableWouldGive() {
    Random random = new Random(4711);
    for (int round = 0; round < 200; round++) {
      TreeSet<Integer> numbers = new TreeSet<>();
      while (numbers.size() < 20) {
        numbers.add(random.nextInt(40));
      }
      List<Wanted> wanted = new ArrayList<>();
      numbers.forEach(number -> wanted.add(new Wanted(number, 100 + number)));
      TreeSet<Integer> table = new TreeSet<>();
      for (Move move : DescriptorPlacement.of(wanted, 1000)) {
        int lowest = 0;
        while (table.contains(lowest)) {
          lowest++;
        }
        assertThat(move.fetchedNumber()).isEqualTo(lowest);
        assertThat(table.add(move.number())).isTrue();
      }
      assertThat(table).isEqualTo(numbers);
    }
  }

  @Test
  void numbersOutOfOrderAreAMistakeOfTheCaller() {
    assertThatThrownBy(() -> DescriptorPlacement.of(List.of(new Wanted(3, 50), new Wanted(3, 51)), 1000))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
