import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { describeJobQueue } from './job-queue.contract.ts';
import { describeJobQueueFaults } from './job-queue-faults.contract.ts';
import type { QueueServer } from './job-queue-harness.ts';

describeJobQueue({ product: 'PostgreSQL', start });
describeJobQueueFaults({ product: 'PostgreSQL', start });

async function start(): Promise<QueueServer> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'localex-queue-'));
  await chmod(dataDir, 0o755);
  const launch = () => startEmbeddedPostgres({ dataDir, fsync: false });
  let server = await launch();
  return {
    connection: { postgres: server.connection },
    unreachable: { postgres: { ...server.connection, host: path.join(dataDir, 'nothing') } },
    halt: () => server.close(),
    async resume() {
      server = await launch();
    },
    async stop() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
