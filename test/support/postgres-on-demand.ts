import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';

export interface PostgresOnDemand {
  /** Of 127.0.0.1. Who connects is told the server's connection as one JSON text, or `{error}`. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * One embedded PostgreSQL for a whole run of tests, without fsync, in a folder of its own. It is started
 * when the first test asks, so that a run that needs no database does not wait for one.
 */
export async function postgresOnDemand(): Promise<PostgresOnDemand> {
  let starting: Promise<{ server: EmbeddedPostgres; dataDir: string }> | undefined;
  const listener = createServer((socket) => {
    starting ??= start();
    void starting.then(
      ({ server }) => tell(socket, server.connection),
      (error: unknown) => tell(socket, { error: String(error) }),
    );
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a port of 127.0.0.1');

  return {
    port: address.port,
    async close() {
      listener.close();
      const started = await starting?.catch(() => undefined);
      if (started === undefined) return;
      await started.server.close();
      await rm(started.dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function start(): Promise<{ server: EmbeddedPostgres; dataDir: string }> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'localex-tests-'));
  // As root the server runs as another user, who must be able to enter.
  await chmod(dataDir, 0o755);
  return { server: await startEmbeddedPostgres({ dataDir, fsync: false }), dataDir };
}

function tell(socket: Socket, answer: object): void {
  // Who asked may be gone by now.
  socket.on('error', () => {});
  socket.end(JSON.stringify(answer));
}
