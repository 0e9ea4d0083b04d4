import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEdge, type Edge, type EdgeOptions } from '#src/adapters/cdn/edge/index.ts';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { StorageError } from '#src/domain/errors.ts';
import { objectKey } from '#src/domain/keys.ts';
import { systemClock } from '#src/ports/clock.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { rsaKeyPair, SIGNATURES } from '#test/support/signing-keys.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface EdgeServer {
  readonly edge: Edge;
  readonly store: ObjectStore;
  /** Keys read from the store so far. */
  readonly reads: string[];
  /** While set, reads of the store wait for it. */
  gate: Promise<void> | null;
  /** User id → key of the present thumbnail. */
  readonly thumbnails: Map<string, string>;
  put(key: string, bytes: Uint8Array, contentType?: string): Promise<void>;
  /** Asks for exactly this path: nothing is normalised on the way. */
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
  close(): Promise<void>;
}

/** The edge over a real file-system store behind a plain HTTP server. */
export async function startEdge(options: Partial<EdgeOptions> & { base?: string } = {}): Promise<EdgeServer> {
  const root = await mkdtemp(join(tmpdir(), 'localex-edge-'));
  const store = await createFilesystemObjectStore({
    root,
    publicUrl: 'http://127.0.0.1',
    signingKey: Buffer.alloc(32, 7),
    fsync: false,
  });
  const reads: string[] = [];
  const thumbnails = new Map<string, string>();
  const counted: ObjectStore = {
    ...store,
    async get(key, get) {
      reads.push(key);
      const found = await store.get(key, get);
      await started.gate;
      return found;
    },
  };
  const edge = createEdge({
    store: counted,
    url: () => options.base ?? base,
    hotCacheBytes: 32 * 1024 * 1024,
    keyPair: rsaKeyPair(),
    signatures: SIGNATURES,
    async profileThumbnailKey(userId, format) {
      const key = thumbnails.get(userId);
      if (key === undefined) throw new StorageError('NOT_FOUND');
      return format === 'webp' ? key.replace(/jpg$/, 'webp') : key;
    },
    mayServe: async () => true,
    clock: systemClock,
    log: recordingLog(),
    ...options,
  });
  const server = createServer((req, res) => {
    if (!edge.handle(req, res)) res.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  const base = `http://127.0.0.1:${port}/cdn`;

  const started: EdgeServer = {
    edge,
    store,
    reads,
    gate: null,
    thumbnails,
    async put(key, bytes, contentType = typeOf(key)) {
      await store.put(objectKey(key), bytes, { contentType });
    },
    get: (path, headers = {}, method = 'GET') => ask(port, path, headers, method),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await edge.close();
      await store.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  return started;
}

/** Asks for exactly this path: nothing is normalised on the way. */
export function ask(
  port: number,
  path: string,
  headers: Record<string, string>,
  method: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, headers, method }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
      );
    });
    req.on('error', reject);
    req.end();
  });
}

function typeOf(key: string): string {
  return (
    { jpg: 'image/jpeg', webp: 'image/webp', png: 'image/png' }[key.split('.').at(-1) ?? ''] ?? 'text/plain'
  );
}

function portOf(address: string | AddressInfo | null): number {
  return address !== null && typeof address === 'object' ? address.port : 0;
}
