import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addressesOf, loadConfig } from '#src/config/index.ts';
import { compose } from '#src/app/compose.ts';
import type { Database } from '#src/db/schema.ts';
import { sweep } from '#src/jobs/sweep.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { type Client, clientOf } from '#test/acceptance/client.ts';
import { urlOf } from '#test/support/app.ts';
import { createTestDatabase } from '#test/support/database.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { openStorage, removeStorage, storageSettings } from '#test/support/storage-under-test.ts';

/** A service that is killed and started again on the same data, and what the test sees of it from outside. */
export interface CrashingService {
  readonly db: Database;
  readonly storage: StorageService;
  readonly dataDir: string;
  start(env?: Readonly<Record<string, string>>): Promise<{ service: RunningService; client: Client }>;
  /** Runs the sweep once, as it will run `hours` from now. */
  sweepLater(hours: number): Promise<void>;
  close(): Promise<void>;
}

const SETTINGS = { STORAGE_FSYNC: 'false', QUEUE_LOCK_MS: '1000', QUEUE_BACKOFF_BASE_MS: '50' };

/** @param settings for every start beside those of each */
export async function crashingService(
  settings: Readonly<Record<string, string>> = {},
): Promise<CrashingService> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'localex-fault-'));
  await chmod(dataDir, 0o755);
  const store = await openStorage(dataDir);
  const env = { ...SETTINGS, DATABASE_URL: urlOf(database), ...settings };
  const started: RunningService[] = [];
  return {
    db: database.db,
    storage: createStorageService({ store }),
    dataDir,
    async start(more = {}) {
      const service = await startService({ dataDir, env: { ...env, ...more } });
      started.push(service);
      return { service, client: clientOf(service.url) };
    },
    async sweepLater(hours) {
      const config = loadConfig({ ...env, ...(await storageSettings(dataDir)), DATA_DIR: dataDir });
      const parts = await compose(config, addressesOf(config, 1), silentLog);
      await sweep({ ...parts.jobs, clock: { now: () => new Date(Date.now() + hours * 3_600_000) } });
      for (const phase of parts.phases) await phase.run();
    },
    async close() {
      for (const service of started) await service.stop();
      await store.close();
      await database.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
      await removeStorage(dataDir);
    },
  };
}

/** Process ids of a process's children whose command line has that text. Linux only. */
export async function childrenOf(pid: number, text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent !== pid) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(text)) found.push(Number(name));
  }
  return found;
}
