import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createEdge } from '#src/adapters/cdn/edge/index.ts';
import { openKeyPair } from '#src/adapters/cdn/signing/key-pair.ts';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { objectKey } from '#src/domain/keys.ts';
import { systemClock } from '#src/ports/clock.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { median, print } from './support/client.ts';

/**
 * Hot delivery: the edge against a plain Node server from memory and against nginx (one worker, the better of
 * sendfile on and off), 50 keep-alive connections of wrk on the other core, in turns. Needs `wrk`; nginx is left out
 * where there is none. `node bench/edge.ts [seconds] [rounds]`
 */
const SIZES = { '100k': 100_000, '1m': 1_000_000 } as const;
type Size = keyof typeof SIZES;
const ROLES = ['edge', 'plain'] as const;
const PORTS = { edge: 18_831, plain: 18_832, sendfile: 18_833, buffers: 18_834 };

const [role = '5', argument = '3'] = process.argv.slice(2);
if (role === 'edge') await serveEdge(argument);
else if (role === 'plain') await servePlain(argument);
else await main(Number(role), Number(argument));

async function main(seconds: number, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'localex-edge-bench-'));
  const children: ChildProcess[] = [];
  try {
    await makeObjects(folder);
    for (const name of ROLES) children.push(await startChild(name, folder));
    const nginx = await startNginx(folder);
    if (nginx !== null) children.push(nginx);
    for (const size of ['100k', '1m'] as const) await compare(size, seconds, rounds, nginx !== null);
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(size: Size, seconds: number, rounds: number, withNginx: boolean): Promise<void> {
  const path = `/cdn/${keyOf(size)}`;
  const auto = path.replace('.jpg', '.auto');
  const contenders: Record<string, () => Promise<number>> = {
    edge: () => wrk(PORTS.edge, path, seconds),
    auto: () => wrk(PORTS.edge, auto, seconds, ['-H', 'Accept: image/avif,image/webp,*/*']),
    etag: () => wrk(PORTS.edge, path, seconds, ['-H', 'If-None-Match: *']),
    range: () => wrk(PORTS.edge, path, seconds, ['-H', 'Range: bytes=1000-50999']),
    plain: () => wrk(PORTS.plain, path, seconds),
    ...(withNginx && {
      sendfile: () => wrk(PORTS.sendfile, path, seconds),
      buffers: () => wrk(PORTS.buffers, path, seconds),
    }),
  };
  const rates: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(contenders)) (rates[name] ??= []).push(await run());
  const of = (name: string) => median(rates[name] ?? []);
  const nginx = Math.max(...['sendfile', 'buffers'].map((name) => of(name)).filter((rate) => rate > 0), 0);
  for (const name of ['edge', 'auto', 'etag', 'range'])
    print(`${name}-${size}`, {
      req_s: of(name),
      of_plain_node: of(name) / of('plain'),
      ...(withNginx && { of_nginx: of(name) / nginx }),
    });
  print(`plain-node-${size}`, { req_s: of('plain') });
  if (withNginx) print(`nginx-${size}`, { req_s: nginx, sendfile: of('sendfile'), buffers: of('buffers') });
}

async function serveEdge(folder: string): Promise<void> {
  const store = await createFilesystemObjectStore({
    root: join(folder, 'objects'),
    publicUrl: 'http://127.0.0.1',
    signingKey: randomBytes(32),
    fsync: false,
  });
  for (const size of ['100k', '1m'] as const)
    for (const [extension, contentType] of [
      ['jpg', 'image/jpeg'],
      ['webp', 'image/webp'],
    ] as const)
      await store.put(objectKey(keyOf(size).replace('jpg', extension)), randomBytes(SIZES[size]), {
        contentType,
      });
  const edge = createEdge({
    store,
    url: () => 'http://127.0.0.1/cdn',
    hotCacheBytes: 64 * 1024 * 1024,
    keyPair: await openKeyPair(join(folder, 'edge-signing.pem')),
    signatures: { maxSeconds: 3600, windowSeconds: 300 },
    profileThumbnailKey: async () => '',
    mayServe: async () => true,
    clock: systemClock,
    log: recordingLog(),
  });
  await listen(PORTS.edge, (req, res) => {
    if (!edge.handle(req, res)) res.writeHead(404).end();
  });
}

/** What Node can do at most: one map look-up, fixed header fields, the buffer. */
async function servePlain(_folder: string): Promise<void> {
  const objects = new Map(
    (['100k', '1m'] as const).map((size) => {
      const body = randomBytes(SIZES[size]);
      const headers = {
        'Content-Type': 'image/jpeg',
        'Content-Length': body.length,
        'Cache-Control': 'public',
      };
      return [`/cdn/${keyOf(size)}`, { body, headers }];
    }),
  );
  await listen(PORTS.plain, (req, res) => {
    const object = objects.get(req.url ?? '');
    if (object === undefined) res.writeHead(404).end();
    else res.writeHead(200, object.headers).end(object.body);
  });
}

async function listen(port: number, handler: RequestListener): Promise<void> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  process.on('SIGTERM', () => process.exit(0));
  process.send?.('ready');
}

async function startChild(name: string, folder: string): Promise<ChildProcess> {
  const child = fork(import.meta.filename, [name, folder]);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`The ${name} server ended with ${code}`)));
  });
  return child;
}

async function makeObjects(folder: string): Promise<void> {
  for (const size of ['100k', '1m'] as const) {
    const path = join(folder, 'www/cdn', keyOf(size));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, randomBytes(SIZES[size]));
  }
}

/** One worker, as one Node process has one thread. */
async function startNginx(folder: string): Promise<ChildProcess | null> {
  const binary = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));
  if (binary === undefined) return null;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/ngx-${name};`)
    .join(' ');
  const site = `root ${folder}/www; add_header Cache-Control "public, max-age=31536000, immutable";`;
  const config = `daemon off; worker_processes 1; user root; pid ${folder}/nginx.pid; error_log ${folder}/nginx.err;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temporary}
  open_file_cache max=1000 inactive=60s; types { image/jpeg jpg; }
  server { listen 127.0.0.1:${PORTS.sendfile}; ${site} }
  server { listen 127.0.0.1:${PORTS.buffers}; sendfile off; output_buffers 2 1m; ${site} }
}`;
  await writeFile(join(folder, 'nginx.conf'), config);
  const child = spawn(binary, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const until = Date.now() + 5_000;
  while (Date.now() < until) {
    const answer = await fetch(`http://127.0.0.1:${PORTS.sendfile}/`).catch(() => null);
    if (answer !== null) return child;
  }
  child.kill('SIGTERM');
  return null;
}

async function wrk(port: number, path: string, seconds: number, extra: string[] = []): Promise<number> {
  const args = ['-t1', '-c50', `-d${seconds}s`, ...extra, `http://127.0.0.1:${port}${path}`];
  const { stdout } = await promisify(execFile)('wrk', args);
  if (/Non-2xx|Socket errors/.test(stdout) && !extra.includes('If-None-Match: *')) throw new Error(stdout);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

function keyOf(size: Size): string {
  return `items/large/bench/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-${size === '1m' ? '1' : '0'}00000000000.jpg`;
}
