import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordAccesses } from '#src/db/access-log.ts';
import { sealEntries } from '#src/db/audit/sealing.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { createTestDatabase, type DatabaseServer, type TestDatabase } from '#test/support/database.ts';
import { type LogLine, recordingLog } from '#test/support/recording-log.ts';

export interface Ledger {
  readonly database: TestDatabase;
  readonly db: TestDatabase['db'];
  readonly storage: StorageService;
  readonly log: ReturnType<typeof recordingLog>;
  readonly lines: readonly LogLine[];
  /** Writes so many entries and seals them. */
  fill(count: number, batch?: number): Promise<void>;
  close(): Promise<void>;
}

/** An empty ledger on a database of its own, with an object store for its anchors. */
export async function openLedger(server?: DatabaseServer): Promise<Ledger> {
  const database = await createTestDatabase(server);
  const root = await mkdtemp(join(tmpdir(), 'localex-audit-'));
  const store = await createFilesystemObjectStore({
    root,
    fsync: false,
    publicUrl: 'http://127.0.0.1',
    signingKey: Buffer.alloc(32, 1),
  });
  const log = recordingLog();
  const { db } = database;
  return {
    database,
    db,
    storage: createStorageService({ store }),
    log,
    lines: log.lines,
    async fill(count, batch = 100) {
      const entries = Array.from({ length: count }, (_, index) => ({
        userId: `user-${index % 7}`,
        action: 'document.read',
        fileId: randomUUID(),
        details: { index },
      }));
      await recordAccesses(db, entries);
      while ((await sealEntries(db, batch)) !== 0);
    },
    async close() {
      await store.close();
      await database.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
