import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { fileId } from '#src/domain/ids.ts';
import type { VariantName } from '#src/domain/renditions.ts';
import { isOver } from '#src/domain/runs.ts';
import type { RunContext } from '#src/jobs/runner.ts';
import { scrubDeps } from '#src/app/scrub.ts';
import { loadConfig } from '#src/config/index.ts';
import { listVariants } from '#src/db/variants.ts';
import type { VariantRow } from '#src/db/schema.ts';
import type { BackupSource } from '#src/ports/backup-source.ts';
import type { Run, RunActionEntry } from '#src/services/runs.service.ts';
import { storeAsBackup } from '#src/services/storage/backup-sources.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { type FaultyStore, faultyStore } from '#test/support/faulty-store.ts';
import {
  ADMIN,
  distinctPhoto,
  newItem,
  newSeller,
  type TestApp,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';

export interface ReadyPhoto {
  readonly id: string;
  readonly itemId: string;
  /** Its seven objects, by name and format. */
  readonly key: (name: VariantName, format?: string) => string;
  readonly rows: readonly VariantRow[];
}

/** A photo with all its renditions, of a seller of its own. */
export async function readyPhoto(app: TestApp): Promise<ReadyPhoto> {
  const who = newSeller();
  const itemId = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, itemId, await distinctPhoto(), { waitMs: 10_000 });
  await untilState(app, photo.id, 'ready');
  await untilDelivered(app);
  const rows = await listVariants(app.db, [photo.id]);
  expect(rows).toHaveLength(7);
  return {
    id: photo.id,
    itemId,
    rows,
    key: (name, format = 'jpeg') => {
      const row = rows.find((found) => found.name === name && found.format === format);
      if (row === undefined) throw new Error(`Expected a ${name} in ${format}`);
      return row.key;
    },
  };
}

export interface ScrubOutcome {
  readonly run: Run;
  readonly actions: readonly RunActionEntry[];
  /** `found: key` and `done: key` of one file, in order. */
  readonly about: (id: string) => string[];
}

/** Has a worker scrub everything, and waits for the end of it. */
export async function scrub(
  app: TestApp,
  params: { deep: boolean; dryRun?: boolean },
): Promise<ScrubOutcome> {
  const { deep, dryRun = false } = params;
  const asked = await app.runs.start(ADMIN, 'scrub', { deep }, { dryRun });
  const over = await until('the scrub to end', async () => {
    const page = await app.runs.get(ADMIN, asked.id, { limit: 1000 });
    return isOver(page.run.state) ? page : null;
  });
  expect(over.run).toMatchObject({ state: 'succeeded' });
  const about = (id: string) =>
    over.actions
      .filter(({ subject }) => subject.includes(id))
      .map(({ action, subject }) => `${action} ${shortOf(subject)}`);
  return { run: over.run, actions: over.actions, about };
}

/** A run of the handler by itself. */
export function context(overrides: Partial<RunContext> = {}): RunContext & {
  readonly saved: unknown[];
  /** `did: key`, in order. */
  readonly said: string[];
} {
  const saved: unknown[] = [];
  const said: string[] = [];
  return {
    run: { id: randomUUID(), kind: 'scrub', requestedBy: ADMIN.userId },
    params: { deep: true },
    dryRun: false,
    cursor: null,
    signal: new AbortController().signal,
    async checkpoint(cursor, _progress, actions = []) {
      saved.push(cursor);
      said.push(...actions.map(({ action, subject }) => `${action} ${subject}`));
    },
    saved,
    said,
    ...overrides,
  };
}

/** What a scrub works with, reading its store through faults to plan. */
export function scrubUnderFaults(app: TestApp, bytesPerSecond = 1e9) {
  const store: FaultyStore = faultyStore(app.store);
  const retry = { attempts: 2, baseMs: 1, capMs: 1 };
  const deps = {
    ...scrubDeps(loadConfig({}), app),
    primary: createStorageService({ store, retry }),
    scrub: { bytesPerSecond },
  };
  return { deps, store };
}

/** `items/large/…/….webp` → `large.webp`. */
function shortOf(key: string): string {
  const [root, name] = key.split('/');
  return root === 'items' || root === 'profiles' ? `${name}.${key.split('.').at(-1)}` : `${root}/${name}`;
}

export async function hashInStore(app: Pick<TestApp, 'storage'>, key: string): Promise<string> {
  const { body } = await app.storage.downloadFile(key);
  return createHash('sha256')
    .update(await buffer(body))
    .digest('hex');
}

/** All that the rows offer of a photo is in the store and has the hash of its row. */
export async function expectWhole(app: TestApp, id: string): Promise<void> {
  const rows = await listVariants(app.db, [fileId(id)]);
  for (const row of rows) expect(await hashInStore(app, row.key), row.key).toBe(row.sha256);
}

export interface Replica {
  readonly store: FaultyStore;
  readonly backup: BackupSource;
  /** Brings it up to date, as replication between buckets would. */
  replicate(app: TestApp): Promise<void>;
  close(): Promise<void>;
}

/** A second store with its own folder, behind faults to plan. */
export async function openReplica(): Promise<Replica> {
  const root = await mkdtemp(join(tmpdir(), 'localex-replica-'));
  const store = faultyStore(
    await createFilesystemObjectStore({
      root,
      publicUrl: 'http://replica.test',
      signingKey: new Uint8Array(32).fill(9),
      fsync: false,
    }),
  );
  const retry = { attempts: 2, baseMs: 1, capMs: 1 };
  return {
    store,
    backup: storeAsBackup('replica', createStorageService({ store, retry })),
    async replicate(app) {
      for await (const { key } of app.storage.listFiles('')) {
        const { info, body } = await app.storage.downloadFile(key);
        const { contentType, cacheControl } = info;
        await store.put(key, await buffer(body), { contentType, cacheControl: cacheControl ?? 'no-store' });
      }
    },
    close: () => rm(root, { recursive: true }),
  };
}
