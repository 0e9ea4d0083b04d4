import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Whether Debian's `redis-server` (or any on the PATH) is installed. */
export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGKILL: what it had in memory is gone. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Arguments of redis-server, which win over those it gets here. */
  readonly settings?: readonly string[];
  /** Files of a certificate and its key: the server then speaks TLS only. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** A redis-server of our own on 127.0.0.1, without persistence, taking connections when this resolves. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const { tls } = options;
  const listening =
    tls === undefined
      ? ['--port', String(port)]
      : [
          '--port',
          '0',
          '--tls-port',
          String(port),
          '--tls-auth-clients',
          'no',
          '--tls-cert-file',
          tls.certificate,
          '--tls-key-file',
          tls.key,
        ];
  const quiet = ['--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'];
  const child = spawn('redis-server', [...listening, ...quiet, ...(options.settings ?? [])], {
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error('redis-server ended');
    await pause(10);
  }
  return {
    url: `redis${tls === undefined ? '' : 's'}://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? -1,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A certificate for 127.0.0.1 that has signed itself, good for a day, as files in that folder. */
export function makeCertificate(folder: string): { certificate: string; key: string } {
  const files = { certificate: join(folder, 'redis.crt'), key: join(folder, 'redis.key') };
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=redis'];
  const name = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...request, ...name, '-keyout', files.key, '-out', files.certificate], {
    stdio: 'ignore',
  });
  return files;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
