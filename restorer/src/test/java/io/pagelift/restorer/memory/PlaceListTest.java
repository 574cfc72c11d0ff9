package io.pagelift.restorer.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.PagePlace;
import org.junit.jupiter.api.Test;

class PlaceListTest {
  @Test
  void aLongRunIsSplitIntoPiecesThatFollowEachOther() {
    PlaceList places = new PlaceList();
    places.add(100, 2L * PlaceList.MAX_PAGES + 1, 3, 50);
    assertThat(places.size()).isEqualTo(3);
    assertThat(places.place(2))
        .isEqualTo(new PagePlace(100 + 2L * PlaceList.MAX_PAGES, 1, 3, 50 + 2L * PlaceList.MAX_PAGES));
    assertThat(places.follows(1)).isTrue();
    assertThat(places.follows(2)).isTrue();
  }

  @Test
  void pagesAreFoundByAnyRangeThatTouchesThem() {
    PlaceList places = new PlaceList();
    for (int i = 0; i < 1000; i++) {
      places.add(10L * i, 2, 1, 2L * i);
    }
    assertThat(places.touches(10, 11)).isTrue();
    assertThat(places.touches(11, 12)).isTrue();
    assertThat(places.touches(12, 20)).isFalse();
    assertThat(places.touches(12, 21)).isTrue();
    assertThat(places.touches(9992, 20000)).isFalse();
    assertThat(new PlaceList().touches(0, 10)).isFalse();
  }
}
