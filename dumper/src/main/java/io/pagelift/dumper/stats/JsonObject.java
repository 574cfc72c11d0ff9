package io.pagelift.dumper.stats;

import java.util.List;

/** Writes one flat JSON object with keys in the order of their arrival. Keys and texts are our own: ASCII, but escaped all the same. */
final class JsonObject {
  private final StringBuilder text = new StringBuilder("{");

  JsonObject put(String key, long value) {
    return raw(key, Long.toString(value));
  }

  JsonObject put(String key, boolean value) {
    return raw(key, Boolean.toString(value));
  }

  JsonObject put(String key, String value) {
    return raw(key, quote(value));
  }

  JsonObject put(String key, List<Integer> values) {
    return raw(key, values.toString());
  }

  /** A value that is JSON already. */
  JsonObject raw(String key, String json) {
    if (text.length() > 1) {
      text.append(", ");
    }
    text.append(quote(key)).append(": ").append(json);
    return this;
  }

  private static String quote(String value) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  @Override
  public String toString() {
    return text + "}";
  }
}
