package io.pagelift.restorer.process;

import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.image.TreeImage;
import io.pagelift.restorer.source.ImageSource;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.PageSink;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** An image whose pages lie in one file, served as a segment file or, as a page-server would, page by page. */
final class MemoryImage implements ImageSource {
  private final Path pagesFile;
  private final boolean segmentReadable;
  private final Map<Long, List<PagePlace>> places = new TreeMap<>();
  private TreeImage tree = TreeImage.getDefaultInstance();
  private long pageCount;

  MemoryImage(Path pagesFile, boolean segmentReadable) {
    this.pagesFile = pagesFile;
    this.segmentReadable = segmentReadable;
  }

  void tree(TreeImage image) {
    this.tree = image;
  }

  void addPages(long objectId, long firstPage, byte[] content) {
    try (FileChannel file =
        FileChannel.open(pagesFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      file.write(ByteBuffer.wrap(content));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int count = content.length / PageRun.PAGE_BYTES;
    places.computeIfAbsent(objectId, id -> new ArrayList<>()).add(new PagePlace(firstPage, count, 1, pageCount));
    pageCount += count;
  }

  @Override
  public String description() {
    return "a test image";
  }

  @Override
  public int round() {
    return 1;
  }

  @Override
  public HandoverSession handover() {
    throw new UnsupportedOperationException("no image of a handover");
  }

  @Override
  public TreeImage tree() {
    return tree;
  }

  @Override
  public void forEachPlace(long objectId, Consumer<PagePlace> sink) {
    places.getOrDefault(objectId, List.of()).forEach(sink);
  }

  @Override
  public Optional<Path> segmentFile(int segment) {
    return segmentReadable ? Optional.of(pagesFile) : Optional.empty();
  }

  @Override
  public void check(PagePlace place) {}

  @Override
  public void read(long objectId, PageRuns pages, PageSink sink) {
    for (PagePlace place : places.getOrDefault(objectId, List.of())) {
      pages.forEachWithin(
          place.firstPage(),
          place.endPage(),
          (first, end) -> {
            ByteBuffer buffer = ByteBuffer.allocateDirect((int) (end - first) * PageRun.PAGE_BYTES);
            try (FileChannel file = FileChannel.open(pagesFile, StandardOpenOption.READ)) {
              file.read(buffer, (place.segmentPage() + first - place.firstPage()) * PageRun.PAGE_BYTES);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
            sink.pages(first, (int) (end - first), buffer.flip());
          });
    }
  }

  @Override
  public void close() {}
}
