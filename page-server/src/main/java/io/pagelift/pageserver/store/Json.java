package io.pagelift.pageserver.store;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Plain maps, lists, strings, numbers and booleans as JSON text. */
final class Json {
  private Json() {}

  static String text(Object value) {
    StringBuilder text = new StringBuilder();
    write(value, text, "\n");
    return text.append('\n').toString();
  }

  private static void write(Object value, StringBuilder text, String newLine) {
    String inner = newLine + "  ";
    String separator = "";
    if (value instanceof Map<?, ?> map) {
      text.append('{');
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        text.append(separator).append(inner);
        writeString(String.valueOf(entry.getKey()), text);
        write(entry.getValue(), text.append(": "), inner);
        separator = ",";
      }
      text.append(map.isEmpty() ? "" : newLine).append('}');
    } else if (value instanceof List<?> list) {
      text.append('[');
      for (Object element : list) {
        write(element, text.append(separator).append(inner), inner);
        separator = ",";
      }
      text.append(list.isEmpty() ? "" : newLine).append(']');
    } else if (value instanceof Number || value instanceof Boolean) {
      text.append(value);
    } else {
      writeString(String.valueOf(value), text);
    }
  }

  private static void writeString(String string, StringBuilder text) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      if (c == '"' || c == '\\') {
        text.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        text.append(c);
      }
    }
    text.append('"');
  }
}
