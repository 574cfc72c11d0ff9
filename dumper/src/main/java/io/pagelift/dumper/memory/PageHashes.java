package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import net.openhft.hashing.LongTupleHashFunction;
import org.jspecify.annotations.Nullable;

/**
 * Remembers a hash of every page that passed and holds a page back when it hashes the same as the last time.
 *
 * <p>XXH3 with 128 bits and a random seed that never leaves this invocation: two different contents collide with a probability of
 * 2<sup>-128</sup> for data that was made without knowing the seed. The hashes never leave it either, so that a later invocation
 * cannot mistake them for what another server holds.
 *
 * <p>16 bytes a page, in chunks of 16 MiB of address space. Above the limit new chunks are not remembered and their pages are
 * always sent: memory stays bounded, correctness does not depend on it.
 */
public final class PageHashes implements PageFilter {
  private static final int CHUNK_SHIFT = 12;
  private static final int CHUNK_PAGES = 1 << CHUNK_SHIFT;
  private static final int CHUNK_BYTES = CHUNK_PAGES * 2 * Long.BYTES;

  private final LongTupleHashFunction function;
  private final int maxChunks;
  private final Map<Long, long[]> chunks = new HashMap<>();
  private final long[] hash = new long[2];

  /** Hashes that take up to {@code limitBytes} of memory. */
  public PageHashes(long limitBytes) {
    function = LongTupleHashFunction.xx128(new SecureRandom().nextLong());
    maxChunks = (int) Math.min(Integer.MAX_VALUE, limitBytes / CHUNK_BYTES);
  }

  @Override
  public boolean mustSend(long page, long address) {
    long[] chunk = chunk(page >>> CHUNK_SHIFT);
    if (chunk == null) {
      return true;
    }
    function.hashMemory(address, PageRun.PAGE_BYTES, hash);
    int at = (int) (page & (CHUNK_PAGES - 1)) * 2;
    // All zeros means "not seen yet": a page whose hash is that by chance is merely sent again.
    boolean same = chunk[at] == hash[0] && chunk[at + 1] == hash[1] && (hash[0] | hash[1]) != 0;
    chunk[at] = hash[0];
    chunk[at + 1] = hash[1];
    return !same;
  }

  private long @Nullable [] chunk(long key) {
    long[] chunk = chunks.get(key);
    if (chunk == null && chunks.size() < maxChunks) {
      chunk = new long[CHUNK_PAGES * 2];
      chunks.put(key, chunk);
    }
    return chunk;
  }
}
