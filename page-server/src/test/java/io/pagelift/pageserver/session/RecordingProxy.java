package io.pagelift.pageserver.session;

import io.pagelift.common.HostPort;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Stands between a client and a server and remembers what both said. One connection. */
final class RecordingProxy implements AutoCloseable {
  private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  private final ByteArrayOutputStream fromClient = new ByteArrayOutputStream();
  private final ByteArrayOutputStream fromServer = new ByteArrayOutputStream();

  RecordingProxy(HostPort server) throws IOException {
    Thread thread = new Thread(() -> run(server), "recording-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  HostPort address() {
    return new HostPort("127.0.0.1", listener.getLocalPort());
  }

  byte[] fromClient() {
    return fromClient.toByteArray();
  }

  byte[] fromServer() {
    return fromServer.toByteArray();
  }

  private void run(HostPort server) {
    try (Socket client = listener.accept();
        Socket behind = new Socket(server.host(), server.port())) {
      Thread back = new Thread(() -> pump(behind, client, fromServer), "recording-proxy-back");
      back.setDaemon(true);
      back.start();
      pump(client, behind, fromClient);
      back.join(10_000);
    } catch (IOException | InterruptedException e) {
      // The test looks at what was recorded.
    }
  }

  private static void pump(Socket from, Socket to, ByteArrayOutputStream record) {
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[1 << 14];
      int count = in.read(bytes);
      while (count > 0) {
        record.write(bytes, 0, count);
        out.write(bytes, 0, count);
        count = in.read(bytes);
      }
      to.shutdownOutput();
    } catch (IOException e) {
      // One of both is gone.
      closeQuietly(to);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It was closed already.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
