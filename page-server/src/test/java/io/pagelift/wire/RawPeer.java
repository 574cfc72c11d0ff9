package io.pagelift.wire;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;

/** One end of a connection that says what a test tells it to, right or wrong. Blocking, with a bound on every read. */
public final class RawPeer implements AutoCloseable {
  private static final int READ_MILLIS = 10_000;

  private static final int DISCARD_BYTES = 64 << 10;

  private final Socket socket;

  /** Takes over a connected socket. */
  public RawPeer(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(READ_MILLIS);
  }

  /** The bytes of a frame. */
  public static byte[] bytes(FrameType type, MessageLite header, byte[] payload) {
    ByteBuf head = FrameCodec.encodeHead(UnpooledByteBufAllocator.DEFAULT, type, header, ByteBuffer.wrap(payload));
    byte[] bytes = new byte[head.readableBytes() + payload.length];
    int headBytes = head.readableBytes();
    head.readBytes(bytes, 0, headBytes);
    head.release();
    System.arraycopy(payload, 0, bytes, headBytes, payload.length);
    return bytes;
  }

  /** Sends bytes as they are. */
  public void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  /** Sends a frame. */
  public void send(FrameType type, MessageLite header, byte... payload) throws IOException {
    send(bytes(type, header, payload));
  }

  /** Sends this program's HELLO. */
  public void hello() throws IOException {
    send(FrameType.HELLO, Messages.hello("raw peer", 16 << 20));
  }

  /** The header of the next frame, which must be of this type. */
  public <M extends MessageLite> M receive(FrameType type, Class<M> kind) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    byte[] prefixBytes = new byte[FrameCodec.PREFIX_BYTES];
    in.readFully(prefixBytes);
    FrameCodec.Prefix prefix = FrameCodec.readPrefix(Unpooled.wrappedBuffer(prefixBytes));
    byte[] header = new byte[prefix.headerBytes()];
    in.readFully(header);
    in.readFully(new byte[prefix.payloadBytes()]);
    MessageLite message = prefix.type().parser().parseFrom(header);
    if (prefix.type() != type) {
      throw new AssertionError("received " + prefix.type() + " instead of " + type);
    }
    return kind.cast(message);
  }

  /** Takes some of what has come; says whether the other end has closed its direction instead. */
  public boolean ended() throws IOException {
    return socket.getInputStream().read(new byte[DISCARD_BYTES]) < 0;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
