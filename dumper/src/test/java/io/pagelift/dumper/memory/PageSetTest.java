package io.pagelift.dumper.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class PageSetTest {
  private static final int UNIVERSE = 40_000;

  @Test
  void behavesLikeASortedSetUnderRandomRanges() {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      PageSet set = new PageSet();
      TreeSet<Long> model = new TreeSet<>();
      for (int step = 0; step < 60; step++) {
        long first = random.nextInt(UNIVERSE);
        long end = first + (random.nextBoolean() ? random.nextInt(70) : random.nextInt(12_000));
        boolean adds = random.nextInt(3) > 0;
        for (long page = first; page < end; page++) {
          if (adds) {
            model.add(page);
          } else {
            model.remove(page);
          }
        }
        if (adds) {
          set.add(first, end);
        } else {
          set.remove(first, end);
        }
        assertThat(set.pageCount()).isEqualTo(model.size());
      }
      assertThat(members(set)).isEqualTo(new ArrayList<>(model));
      for (int probe = 0; probe < 500; probe++) {
        long page = random.nextInt(UNIVERSE + 20_000);
        Long next = model.ceiling(page);
        assertThat(set.contains(page)).isEqualTo(model.contains(page));
        assertThat(set.nextMember(page)).isEqualTo(next == null ? -1 : next);
        assertThat(set.countBetween(page, page + 5000)).isEqualTo(model.subSet(page, page + 5000).size());
      }
    }
  }

  @Test
  void unionDifferenceAndIntersectionAgreeWithASortedSet() {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(1000 + seed);
      TreeSet<Long> modelA = new TreeSet<>();
      TreeSet<Long> modelB = new TreeSet<>();
      PageSet a = randomSet(random, modelA);
      PageSet b = randomSet(random, modelB);

      PageSet union = a.copy();
      union.addAll(b);
      PageSet difference = a.copy();
      difference.removeAll(b);
      PageSet intersection = a.copy();
      intersection.retainAll(b);

      TreeSet<Long> model = new TreeSet<>(modelA);
      model.addAll(modelB);
      assertThat(members(union)).isEqualTo(new ArrayList<>(model));
      assertThat(union.pageCount()).isEqualTo(model.size());
      model = new TreeSet<>(modelA);
      model.removeAll(modelB);
      assertThat(members(difference)).isEqualTo(new ArrayList<>(model));
      assertThat(difference.pageCount()).isEqualTo(model.size());
      model = new TreeSet<>(modelA);
      model.retainAll(modelB);
      assertThat(members(intersection)).isEqualTo(new ArrayList<>(model));
      assertThat(intersection.pageCount()).isEqualTo(model.size());
      assertThat(members(a)).isEqualTo(new ArrayList<>(modelA));
    }
  }

  @Test
  void runsAreMaximalAcrossChunkBorders() {
    PageSet set = new PageSet();
    set.add(4000, 4096);
    set.add(4096, 12_288);
    set.add(12_288, 12_289);
    set.add(20_000, 20_001);
    List<String> runs = new ArrayList<>();
    set.forEachRun((first, count) -> runs.add(first + "+" + count));
    assertThat(runs).containsExactly("4000+8289", "20000+1");
  }

  @Test
  void reachesTheLastPageOfTheAddressSpace() {
    PageSet set = new PageSet();
    long last = 0x7fff_ffff_f000L >>> 12;
    set.add(last, last + 1);
    assertThat(set.contains(last)).isTrue();
    assertThat(set.nextMember(0)).isEqualTo(last);
  }

  private static PageSet randomSet(Random random, Set<Long> model) {
    PageSet set = new PageSet();
    for (int i = 0; i < 30; i++) {
      long first = random.nextInt(UNIVERSE);
      long end = first + (i % 5 == 0 ? random.nextInt(10_000) : random.nextInt(100));
      set.add(first, end);
      for (long page = first; page < end; page++) {
        model.add(page);
      }
    }
    return set;
  }

  private static List<Long> members(PageSet set) {
    List<Long> members = new ArrayList<>();
    set.forEachRun((first, count) -> {
      for (long page = first; page < first + count; page++) {
        members.add(page);
      }
    });
    return members;
  }
}
