import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { createImages } from '#src/app/adapters.ts';
import { type Composition, compose } from '#src/app/compose.ts';
import { startWorker } from '#src/app/worker.ts';
import { addressesOf, type Config, loadConfig } from '#src/config/index.ts';
import type { Principal } from '#src/domain/access.ts';
import type { FileState } from '#src/domain/file-state.ts';
import { fileId, type ItemId, itemId } from '#src/domain/ids.ts';
import { findFile } from '#src/db/files.ts';
import type { FileRow } from '#src/db/schema.ts';
import type { JobDeps } from '#src/jobs/deps.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import type { IncomingFile } from '#src/services/contracts.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { photoPath } from './photos.ts';
import { type LogLine, recordingLog } from './recording-log.ts';
import { silentLog } from './silent-log.ts';
import { removeStorage, storageSettings } from './storage-under-test.ts';

export interface TestApp extends Composition {
  readonly dataDir: string;
  readonly database: TestDatabase;
  readonly lines: LogLine[];
  close(): Promise<void>;
}

type Backups = Composition['backups'];

export interface TestAppOptions {
  /** Settings by the names of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without a worker jobs wait in the queue. Default: with one. */
  readonly worker?: boolean;
  /** Replaces what jobs work with, a scanner that is down say, before the worker starts. */
  readonly jobs?: (jobs: JobDeps) => Partial<JobDeps>;
  /** Image processes of its own, whose end stands in `lines`. Default: it shares those of this process. */
  readonly ownImages?: boolean;
  /** Where the scrub looks for lost bytes, or what becomes of where it looks. Default: as the service does. */
  readonly backups?: Backups | ((backups: Backups) => Backups);
}

/** The whole service without HTTP, of real parts: PostgreSQL, files, queue, image processes, models. */
export async function startApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'localex-app-'));
  const config = loadConfig({
    DATABASE_URL: urlOf(database),
    DATA_DIR: dataDir,
    PORT: '0',
    STORAGE_FSYNC: 'false',
    QUEUE_BACKOFF_BASE_MS: '10',
    QUEUE_BACKOFF_MAX_MS: '50',
    QUEUE_LOCK_MS: '2000',
    IMAGE_PROCESSES: '2',
    TEXT_READING: 'false',
    // Tests upload the same few photos for many sellers.
    FIND_COPIES: 'false',
    ...(await storageSettings(dataDir)),
    ...options.env,
  });
  const log = recordingLog();
  const parts = await compose(config, addressesOf(config, 1), log);
  const images = options.ownImages === true ? parts.jobs.images : sharedImages(config);
  const given = { ...parts.jobs, images };
  const jobs = { ...given, ...options.jobs?.(given) };
  const { backups: source = parts.backups } = options;
  const backups = typeof source === 'function' ? source(parts.backups) : source;
  const worker = options.worker === false ? null : await startWorker(config, { ...parts, backups, jobs });
  return {
    ...parts,
    jobs,
    backups,
    dataDir,
    database,
    lines: log.lines,
    async close() {
      await worker?.close();
      for (const phase of parts.phases) await phase.run();
      await database.close();
      await removeStorage(dataDir);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const engines = new Map<string, ImageEngine>();

/**
 * The image processes of all apps of this process with the same settings: to start one and load its models takes more than most
 * photos. They end when nobody has asked for a while, or with this process.
 */
function sharedImages(config: Config): ImageEngine {
  const settings = JSON.stringify([config.images, config.s3.maxFileSize]);
  const engine = engines.get(settings) ?? createImages(config, silentLog);
  engines.set(settings, engine);
  return engine;
}

/** The address of a test database, as a setting. */
export function urlOf({ connection }: Pick<TestDatabase, 'connection'>): string {
  if (connection.connectionString !== undefined) return connection.connectionString;
  const { host = '', port = 5432, user = '', database = '' } = connection;
  const password =
    typeof connection.password === 'string' ? `:${encodeURIComponent(connection.password)}` : '';
  if (!host.startsWith('/')) return `postgres://${user}${password}@${host}:${port}/${database}`;
  return `postgres://${user}${password}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}

export const SELLER: Principal = { userId: 'seller-1', roles: ['seller'] };
export const OTHER_SELLER: Principal = { userId: 'seller-2', roles: ['seller'] };
export const MODERATOR: Principal = { userId: 'moderator-1', roles: ['moderator'] };
export const ADMIN: Principal = { userId: 'admin-1', roles: ['admin'] };
export const SERVICE: Principal = { userId: 'backend', roles: ['service'] };

/** A seller nobody else has uploaded for: quotas are by owner. */
export function newSeller(): Principal {
  return { userId: `seller-${randomUUID()}`, roles: ['seller'] };
}

export async function newItem(app: Composition, who: Principal = SELLER): Promise<ItemId> {
  const { item } = await app.items.createItem(who, { title: 'A thing' });
  return itemId(item.id);
}

export async function photoFile(name = 'lumia-820-starfish.jpg'): Promise<IncomingFile> {
  return { filename: name, type: 'image/jpeg', body: await readFile(photoPath(name)) };
}

/** The same photo with other bytes: a comment segment behind the start of the JPEG. */
export async function distinctPhoto(mark: string = randomUUID()): Promise<IncomingFile & { body: Buffer }> {
  const jpeg = await readFile(photoPath('lumia-820-starfish.jpg'));
  const text = Buffer.from(mark);
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, text.length + 2]), text]);
  const body = Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]);
  return { filename: `${mark}.jpg`, type: 'image/jpeg', body };
}

/** Asks until the answer is not null. */
export async function until<T>(what: string, ask: () => Promise<T | null>, limitMs = 45_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`Expected ${what} within ${limitMs / 1000} s`);
    await pause(20);
  }
}

/** Waits for a file to be in one of these states. */
export async function untilState(
  app: Pick<Composition, 'db'>,
  id: string,
  ...states: readonly FileState[]
): Promise<FileRow> {
  let last: FileState | undefined;
  return until(`file ${id} to be ${states.join(' or ')}`, async () => {
    const file = await findFile(app.db, fileId(id));
    last = file?.state;
    return file !== null && states.includes(file.state) ? file : null;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}, but it is ${last}`);
  });
}

/** Waits until nothing is left to be delivered. What a killed process had claimed comes again after 20 s only. */
export async function untilDelivered(app: Pick<Composition, 'db'>, limitMs = 45_000): Promise<void> {
  await until(
    'the outbox to be delivered',
    async () => {
      const waiting = await app.db
        .selectFrom('outbox')
        .select(['id', 'topic', 'payload'])
        .where('delivered_at', 'is', null)
        .execute();
      return waiting.length === 0 ? true : null;
    },
    limitMs,
  );
}

export async function storedKeys(app: Pick<Composition, 'storage'>): Promise<string[]> {
  const keys: string[] = [];
  for await (const object of app.storage.listFiles('')) keys.push(object.key);
  return keys;
}

/**
 * Promise 4: every object in the store is named by a row, every live row's object is in the store, every rendition
 * stands on a live object, and nothing stays under `temp/` for a file that is past being checked. Holds at any moment:
 * what changes while it looks is left out by looking at the rows before and after.
 */
export async function expectNoOrphans(app: Pick<Composition, 'db' | 'storage'>): Promise<void> {
  await untilDelivered(app);
  const before = await objectRows(app);
  const stored = new Set(await storedKeys(app));
  const after = await objectRows(app);
  const named = new Set([...before, ...after].map((object) => object.key));
  const stays = after.filter((object) =>
    before.some((row) => row.key === object.key && row.state === object.state),
  );
  const live = new Set(stays.filter((object) => object.state === 'live').map((object) => object.key));
  expect(
    [...stored].filter((key) => !named.has(key)),
    'objects that no row names',
  ).toEqual([]);
  expect(
    [...live].filter((key) => !stored.has(key)),
    'rows whose object is missing',
  ).toEqual([]);
  const standing = await app.db
    .selectFrom('variants')
    .leftJoin('objects', (on) =>
      on.onRef('objects.key', '=', 'variants.key').on('objects.state', '=', 'live'),
    )
    .select(['variants.key as rendition', 'objects.key as object'])
    .execute();
  expect(
    standing.filter((row) => row.object === null),
    'renditions without a live object',
  ).toEqual([]);
  expect(
    stays.filter(({ key, fileState }) => key.startsWith('temp/') && SETTLED.has(fileState)),
    'temporary objects of settled files',
  ).toEqual([]);
}

const SETTLED = new Set(['ready', 'in_review', 'rejected', 'failed', 'taken_down', 'deleted']);

function objectRows({ db }: Pick<Composition, 'db'>) {
  return db
    .selectFrom('objects')
    .innerJoin('files', 'files.id', 'objects.file_id')
    .select(['key', 'objects.state as state', 'files.state as fileState'])
    .execute();
}

/** Positions 0, 1, 2 … without a gap. */
export async function expectDense(app: Pick<Composition, 'db'>, item: string): Promise<void> {
  const rows = await app.db
    .selectFrom('files')
    .select('position')
    .where('item_id', '=', item)
    .where('position', 'is not', null)
    .orderBy('position')
    .execute();
  expect(rows.map((row) => row.position)).toEqual(rows.map((_, index) => index));
}
