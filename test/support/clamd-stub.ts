import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface ClamdStub {
  readonly url: string;
  /** Bytes that came on all connections together. */
  received(): number;
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/**
 * Speaks in place of clamd. `answer` is called with what has come on a connection so far, after each piece, and writes what
 * it likes.
 */
export async function startClamdStub(answer: (socket: Socket, text: string) => void): Promise<ClamdStub> {
  const sockets = new Set<Socket>();
  let received = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (text.length < 1000) text += chunk.toString('latin1');
      answer(socket, text);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return {
    url: `tcp://127.0.0.1:${address.port}`,
    received: () => received,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
