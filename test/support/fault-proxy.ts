import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { finished, Transform } from 'node:stream';

/** One request as it passed. */
export interface SeenRequest {
  /** 1, 2, … in the order of arrival. */
  readonly number: number;
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Identifies the client's connection. */
  readonly connection: number;
}

/** What happens to a request; null lets it pass. */
export type Fault =
  /** The connection is reset before the server hears of it. */
  | { readonly kind: 'reset' }
  /** The server has done it, and its answer is lost to a reset connection. */
  | { readonly kind: 'answer lost' }
  /** An answer of our own instead of the server's, as S3 words its errors. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly fields?: Readonly<Record<string, string>>;
    }
  /** So many bytes of the answer's body come, then nothing more; the connection stays. */
  | { readonly kind: 'stalls'; readonly afterBytes: number }
  /** So many bytes of the answer's body come, then the connection is reset. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The answer says that it is so much longer or shorter than it is. */
  | { readonly kind: 'wrong length'; readonly by: number }
  /** One byte of the request's body, or of the answer's, is another. */
  | { readonly kind: 'corrupt request' }
  | { readonly kind: 'corrupt answer' }
  /** Only half of the request's body gets to the server. */
  | { readonly kind: 'half a request' }
  /** The body of the answer comes at that pace. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

export interface FaultProxy {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Asked for every request from now on. */
  inject(fault: (request: SeenRequest) => Fault | null): void;
  close(): Promise<void>;
}

/** 503 as S3 says it ("SlowDown: Please reduce your request rate."). */
export const SLOW_DOWN: Fault = { kind: 'error', status: 503, code: 'SlowDown' };

/**
 * An HTTP proxy of our own before a real S3 server. It passes on every byte of head and body as it came, so that signatures
 * hold, but for what is asked of it.
 */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const seen: SeenRequest[] = [];
  const connections = new WeakMap<object, number>();
  let connectionCount = 0;
  let decide: (request: SeenRequest) => Fault | null = () => null;

  const server = createServer((incoming, answer) => {
    const { method = '', url = '', headers, socket } = incoming;
    const connection = connections.get(socket) ?? 0;
    const entry = { number: seen.length + 1, method, url, headers, connection };
    seen.push(entry);
    handle(incoming, answer, decide(entry));
  });
  server.on('connection', (socket) => connections.set(socket, (connectionCount += 1)));

  function handle(incoming: IncomingMessage, answer: ServerResponse, fault: Fault | null): void {
    if (fault?.kind === 'reset') return void incoming.socket.resetAndDestroy();
    if (fault?.kind === 'error') return sendError(incoming, answer, fault);
    const { method, url: path, rawHeaders } = incoming;
    const outgoing = request({
      hostname,
      port,
      method,
      path,
      agent,
      headers: rawHeaders,
      setHost: false,
    });
    outgoing.on('error', () => incoming.socket.destroy());
    answer.on('close', () => outgoing.destroy());
    outgoing.on('response', (reply) => passBack(incoming, reply, answer, fault));
    if (fault?.kind === 'half a request') {
      const half = Number(incoming.headers['content-length'] ?? 0) / 2;
      let sent = 0;
      incoming.on('data', (chunk: Buffer) => {
        sent += chunk.length;
        if (sent < half) outgoing.write(chunk);
        else outgoing.destroy();
      });
    } else if (fault?.kind === 'corrupt request') incoming.pipe(corrupting()).pipe(outgoing);
    else incoming.pipe(outgoing);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    inject(fault) {
      decide = fault;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function passBack(
  incoming: IncomingMessage,
  reply: IncomingMessage,
  answer: ServerResponse,
  fault: Fault | null,
): void {
  if (fault?.kind === 'answer lost') {
    reply.resume();
    reply.on('end', () => incoming.socket.resetAndDestroy());
    return;
  }
  const headers = reply.rawHeaders;
  const length = Number(reply.headers['content-length'] ?? 0);
  if (fault?.kind === 'wrong length') {
    const says = String(length + fault.by);
    answer.writeHead(reply.statusCode ?? 502, replaced(headers, 'content-length', says));
    answer.strictContentLength = false;
    const written = fault.by < 0 ? reply.pipe(firstBytes(length + fault.by)) : reply;
    written.pipe(answer, { end: false });
    finished(written, () => (fault.by < 0 ? answer.end() : incoming.socket.destroy()));
    return;
  }
  answer.writeHead(reply.statusCode ?? 502, headers);
  if (fault?.kind === 'cut') {
    reply
      .pipe(firstBytes(fault.afterBytes))
      .on('end', () => incoming.socket.resetAndDestroy())
      .pipe(answer, { end: false });
  } else if (fault?.kind === 'stalls') reply.pipe(firstBytes(fault.afterBytes)).pipe(answer, { end: false });
  else if (fault?.kind === 'corrupt answer') reply.pipe(corrupting()).pipe(answer);
  else if (fault?.kind === 'slow') reply.pipe(paced(fault.bytesPerSecond)).pipe(answer);
  else reply.pipe(answer);
}

function sendError(
  incoming: IncomingMessage,
  answer: ServerResponse,
  { status, code, headers = {}, fields = {} }: Fault & { kind: 'error' },
): void {
  incoming.resume();
  const told = Object.entries({ Code: code, Message: 'told by the proxy', ...fields });
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error>${told.map(([name, value]) => `<${name}>${value}</${name}>`).join('')}</Error>`;
  const hasBody = incoming.method !== 'HEAD';
  answer.writeHead(status, {
    'content-type': 'application/xml',
    'x-amz-request-id': 'PROXY',
    ...(hasBody && { 'content-length': Buffer.byteLength(body) }),
    ...headers,
  });
  answer.end(hasBody ? body : undefined);
}

/** Passes the first bytes on and swallows the rest. */
function firstBytes(count: number): Transform {
  let left = count;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const some = chunk.subarray(0, left);
      left -= some.length;
      done(null, some);
    },
  });
}

function corrupting(): Transform {
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      const changed = Buffer.from(chunk);
      if (!done && changed.length > 0) changed[0] = (changed[0] ?? 0) ^ 1;
      done = true;
      pass(null, changed);
    },
  });
}

function paced(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      setTimeout(() => done(null, chunk), (chunk.length / bytesPerSecond) * 1000);
    },
  });
}

function replaced(raw: readonly string[], name: string, value: string): string[] {
  return raw.map((text, at) => (at % 2 === 1 && raw[at - 1]?.toLowerCase() === name ? value : text));
}
