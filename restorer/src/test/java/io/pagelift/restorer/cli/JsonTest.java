package io.pagelift.restorer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
  @Test
  void textFromAnImageCannotBreakOutOfItsString() {
    assertThat(Json.text(Map.of("name", "a\"b\\c\n\u0001")))
        .isEqualTo("{\"name\":\"a\\\"b\\\\c\\u000a\\u0001\"}");
  }

  @Test
  void listsAndMapsNest() {
    assertThat(Json.text(List.of(Map.of("pid", 7), List.of(), Map.of()))).isEqualTo("[{\"pid\":7},[],{}]");
  }
}
