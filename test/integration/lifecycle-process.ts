import { setTimeout as pause } from 'node:timers/promises';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { connect } from '#src/db/connect.ts';
import { createListener } from '#src/db/listener.ts';
import { lifecycleRun } from '#src/jobs/lifecycle-run.ts';
import { startRunner } from '#src/jobs/runner.ts';
import { systemClock } from '#src/ports/clock.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { silentLog } from '#test/support/silent-log.ts';

/**
 * A worker that does lifecycle runs in a process of its own, so that a test can kill it: `DATABASE_URL` and `STORE` say
 * on what, stdout which objects it has given another class, slowly.
 */
const connection = { connectionString: process.env['DATABASE_URL'] ?? '' };
const db = connect({ connection, poolSize: 6, statementTimeoutMs: 15_000, log: silentLog });
const store = await createFilesystemObjectStore({
  root: process.env['STORE'] ?? '',
  publicUrl: 'http://127.0.0.1',
  signingKey: Buffer.alloc(32, 7),
  fsync: false,
});
const storage = createStorageService({ store });
const lifecycle = createLifecycleService({
  db,
  storage: {
    ...storage,
    async copyFile(from, to, options) {
      const info = await storage.copyFile(from, to, options);
      console.log(from);
      await pause(20);
      return info;
    },
  },
  clock: systemClock,
  log: silentLog,
  viewsComeFrom: 'edge',
  capabilities: store.capabilities,
  sweepIncomplete: (ms) => store.sweepIncomplete(ms),
  deliverNow: async () => undefined,
});
const listener = createListener({ connection, log: silentLog });
await startRunner(
  { db, log: silentLog },
  listener,
  { lifecycle: lifecycleRun(lifecycle) },
  { leaseMs: 500, pollMs: 50 },
);
