package io.pagelift.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlaceRunsBuilderTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theNewestRunWinsInAnyOrderOfArrival(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    PlaceRunsBuilder builder = new PlaceRunsBuilder(1 << 20);
    Map<Long, Long> model = new TreeMap<>();
    for (int i = 0; i < 3000; i++) {
      long first = random.nextLong(5000);
      int count = 1 + random.nextInt(30);
      long place = random.nextInt(3) == 0 ? -random.nextInt(2) : Place.of(1 + random.nextInt(3), random.nextInt(9000));
      builder.add(first, count, place);
      for (int page = 0; page < count; page++) {
        if (place == Place.DROP) {
          model.remove(first + page);
        } else {
          model.put(first + page, Place.plus(place, page));
        }
      }
    }

    PlaceRuns merged = builder.build();

    Map<Long, Long> actual = new TreeMap<>();
    for (int run = 0; run < merged.size(); run++) {
      for (int page = 0; page < merged.pageCount(run); page++) {
        long place = merged.segment(run) == 0 ? Place.ZERO : Place.of(merged.segment(run), merged.segmentPage(run) + page);
        assertThat(actual.put(merged.firstPage(run) + page, place)).isNull();
      }
    }
    assertThat(actual).isEqualTo(model);
    assertThat(merged.totalPages()).isEqualTo(model.size());
  }

  @Test
  void neighboursInNeighbouringPlacesBecomeOneRun() {
    PlaceRunsBuilder builder = new PlaceRunsBuilder(100);
    builder.add(15, 5, Place.of(2, 105));
    builder.add(10, 5, Place.of(2, 100));
    builder.add(20, 1, Place.of(3, 110));

    PlaceRuns runs = builder.build();

    assertThat(runs.size()).isEqualTo(2);
    assertThat(runs.pageCount(0)).isEqualTo(10);
    assertThat(runs.indexOf(9)).isEqualTo(-1);
    assertThat(runs.indexOf(19)).isZero();
    assertThat(runs.indexOf(20)).isEqualTo(1);
    assertThat(runs.indexOf(21)).isEqualTo(-1);
  }

  @Test
  void aMillionRunsInDescendingOrderAreMergedInTime() {
    PlaceRunsBuilder builder = new PlaceRunsBuilder(1 << 20);
    for (int page = 1_000_000; page > 0; page--) {
      builder.add(page * 2L, 1, Place.ZERO);
    }

    assertThat(builder.build().size()).isEqualTo(1_000_000);
  }

  @Test
  void moreRunsThanAllowedAreRefused() {
    PlaceRunsBuilder builder = new PlaceRunsBuilder(10);

    assertThatThrownBy(
            () -> {
              for (int page = 0; page < 100; page++) {
                builder.add(page * 2L, 1, Place.ZERO);
              }
            })
        .isInstanceOfSatisfying(
            PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.EXHAUSTED));
  }
}
