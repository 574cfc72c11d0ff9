package io.pagelift.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {
  @Test
  void namesAndAddressesAreRead() {
    assertThat(HostPort.parse("localhost:7070")).isEqualTo(new HostPort("localhost", 7070));
    assertThat(HostPort.parse("192.0.2.1:1")).isEqualTo(new HostPort("192.0.2.1", 1));
    assertThat(HostPort.parse("[2001:db8::1]:65535")).isEqualTo(new HostPort("2001:db8::1", 65535));
    assertThat(HostPort.parse("[fe80::1%eth0]:80").toString()).isEqualTo("[fe80::1%eth0]:80");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", ":", "host", "host:", ":80", "host:0", "host:65536", "host:-1", "host:8x", "::1:80", "[::1]", "[::1]80", "[:80", "[]:80",
        "]:80", "[", "host:٣", "ho st:80", "host:99999999999", "a\nb:80", "[::1]:"
      })
  void whatIsNoHostAndPortIsRefusedInOneSentence(String text) {
    assertThatThrownBy(() -> HostPort.parse(text))
        .isInstanceOfSatisfying(
            PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.USAGE))
        .hasMessageContaining("is not host:port");
  }
}
