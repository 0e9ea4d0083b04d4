import pg from 'pg';
import { expect, test } from 'vitest';
import { sharePool } from '#src/adapters/job-queue/shared-pool.ts';

test('a server that is away is told in the one code that makes BullMQ pause, and reported', async () => {
  const pool = new pg.Pool({ host: '/nonexistent-socket-folder', port: 5432 });
  const losses: Error[] = [];
  const shared = sharePool(pool, (error) => losses.push(error));
  await expect(shared.query('SELECT 1')).rejects.toMatchObject({
    code: 'ECONNREFUSED',
    cause: { code: 'ENOENT' },
  });
  await expect(shared.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(losses).toHaveLength(2);
  await shared.end();
});
