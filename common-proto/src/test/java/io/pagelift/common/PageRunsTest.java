package io.pagelift.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PageRunsTest {
  private static final int PAGES = 200;

  private static PageRuns random(Random random, BitSet model) {
    PageRuns.Builder builder = new PageRuns.Builder();
    for (int i = random.nextInt(12); i > 0; i--) {
      int first = random.nextInt(PAGES);
      int end = Math.min(PAGES, first + random.nextInt(20));
      builder.add(first, end);
      model.set(first, end);
    }
    return builder.build();
  }

  private static BitSet bits(PageRuns runs) {
    BitSet bits = new BitSet();
    long[] before = {-1};
    runs.forEach(
        (first, end) -> {
          assertThat(first).as("runs ascend and do not touch").isGreaterThan(before[0]);
          assertThat(end).isGreaterThan(first);
          before[0] = end;
          bits.set((int) first, (int) end);
        });
    return bits;
  }

  private static BitSet with(BitSet bits, java.util.function.Consumer<BitSet> change) {
    BitSet changed = (BitSet) bits.clone();
    change.accept(changed);
    return changed;
  }

  @Test
  void setsOfPagesBehaveLikeSetsOfBits() {
    Random random = new Random(20261121);
    for (int i = 0; i < 3000; i++) {
      BitSet a = new BitSet();
      BitSet b = new BitSet();
      PageRuns runsA = random(random, a);
      PageRuns runsB = random(random, b);
      assertThat(bits(runsA)).isEqualTo(a);
      assertThat(runsA.pageCount()).isEqualTo(a.cardinality());
      assertThat(bits(runsA.union(runsB))).isEqualTo(with(a, c -> c.or(b)));
      assertThat(bits(runsA.intersection(runsB))).isEqualTo(with(a, c -> c.and(b)));
      assertThat(bits(runsA.minus(runsB))).isEqualTo(with(a, c -> c.andNot(b)));
      int page = random.nextInt(PAGES);
      int end = page + random.nextInt(10);
      assertThat(runsA.contains(page)).isEqualTo(a.get(page));
      assertThat(runsA.containsAll(page, end)).isEqualTo(a.get(page, end).cardinality() == end - page);
      PageRuns.Builder within = new PageRuns.Builder();
      runsA.forEachWithin(page, end, within::add);
      assertThat(within.build()).isEqualTo(runsA.intersection(PageRuns.of(page, end)));
    }
  }

  @Test
  void pagesOutOfRangeAreNotAccepted() {
    assertThatThrownBy(() -> PageRuns.of(-1, 4)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> PageRuns.of(4, PageRun.PAGE_LIMIT + 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> PageRun.data(PageRun.PAGE_LIMIT - 1, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> PageRun.zero(0, 0)).isInstanceOf(IllegalArgumentException.class);
  }
}
