import { hasRedisServer, startRedisServer } from '#test/support/redis-server.ts';
import { describeJobQueue } from './job-queue.contract.ts';
import { describeJobQueueFaults } from './job-queue-faults.contract.ts';
import type { QueueServer } from './job-queue-harness.ts';

const missing = hasRedisServer() ? undefined : 'redis-server is not installed';

describeJobQueue({ product: 'Redis', start, missing });
describeJobQueueFaults({ product: 'Redis', start, missing });

async function start(): Promise<QueueServer> {
  let server = await startRedisServer();
  return {
    connection: { redisUrl: server.url },
    unreachable: { redisUrl: 'redis://127.0.0.1:1' },
    halt: () => server.stop(),
    async resume() {
      server = await startRedisServer({ port: server.port });
    },
    stop: () => server.stop(),
  };
}
