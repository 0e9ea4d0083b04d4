import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface CutProxy {
  readonly url: string;
  /** Cuts every connection once so many more bytes have gone to the service, and refuses new ones. Resolves then. */
  cutAfter(bytes: number): Promise<void>;
  /** Takes connections again. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy on a free port whose connections can be cut in the middle, as on a train. */
export async function startCutProxy(target: string): Promise<CutProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let isCut = () => {};
  let server: Server | null = null;

  const cut = () => {
    server?.close();
    server = null;
    left = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
    isCut();
  };
  const track = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const listen = async (port: number): Promise<number> => {
    server = createServer((client) => {
      const service = connect(Number(targetPort), hostname);
      track(client, service);
      track(service, client);
      service.pipe(client);
      client.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (!service.write(chunk)) {
          client.pause();
          service.once('drain', () => client.resume());
        }
        // What has been written still leaves before the end of the connection.
        if (left <= 0) service.end(cut);
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
    return address.port;
  };

  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    cutAfter(bytes) {
      left = bytes;
      return new Promise((resolve) => {
        isCut = resolve;
      });
    },
    async restore() {
      await listen(port);
    },
    async close() {
      cut();
    },
  };
}
