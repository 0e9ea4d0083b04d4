import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordAccesses } from '#src/db/access-log.ts';
import { sealEntries } from '#src/db/audit/sealing.ts';
import { standingOf } from '#src/db/objects.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { createTestDatabase, type DatabaseServer, type TestDatabase } from '#test/support/database.ts';
import { type FaultyStore, faultyStore } from '#test/support/faulty-store.ts';
import { asSuperuser } from '#test/support/superuser.ts';
import { type LogLine, recordingLog } from '#test/support/recording-log.ts';

export interface Ledger {
  /** The store of the anchors, behind faults to plan. */
  readonly primary: FaultyStore;
  /** Its copy in another region, which is empty. */
  readonly replica: ObjectStore;
  readonly database: TestDatabase;
  readonly db: TestDatabase['db'];
  readonly storage: StorageService;
  readonly log: ReturnType<typeof recordingLog>;
  readonly lines: readonly LogLine[];
  /** Writes so many entries and seals them. */
  fill(count: number, batch?: number): Promise<void>;
  /** Keeps the ledger's tables as they are; what it gives puts them back, as a restore of the database does. */
  backUp(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** An empty ledger on a database of its own, with an object store for its anchors. */
export async function openLedger(server?: DatabaseServer): Promise<Ledger> {
  const database = await createTestDatabase(server);
  const root = await mkdtemp(join(tmpdir(), 'localex-audit-'));
  const open = async (name: string) =>
    createFilesystemObjectStore({
      root: join(root, name),
      fsync: false,
      publicUrl: 'http://127.0.0.1',
      signingKey: Buffer.alloc(32, 1),
    });
  const [primary, replica] = [faultyStore(await open('primary')), await open('replica')];
  const log = recordingLog();
  const { db } = database;
  return {
    primary,
    replica,
    database,
    db,
    storage: createStorageService({
      store: primary,
      replica: { store: replica, standingOf: (key) => standingOf(db, key) },
      retry: { attempts: 1, baseMs: 1, capMs: 1 },
    }),
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
    async backUp() {
      const names = ['entries', 'unsealed', 'seals', 'anchors'];
      const kept = `kept_${randomBytes(4).toString('hex')}`;
      await asSuperuser(
        database,
        `create schema ${kept}`,
        ...names.map((name) => `create table ${kept}.${name} as table audit.${name}`),
      );
      return () =>
        asSuperuser(
          database,
          ...names.flatMap((name) => [
            `delete from audit.${name}`,
            `insert into audit.${name} select * from ${kept}.${name}`,
          ]),
        );
    },
    async close() {
      await primary.close();
      await replica.close();
      await database.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
