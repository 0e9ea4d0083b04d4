import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalKeyVault } from '#src/adapters/keys/local.ts';
import {
  countByWrappingKey,
  destroyDocumentKey,
  loadDocumentKey,
  saveDocumentKey,
} from '#src/db/document-keys.ts';
import { insertFile } from '#src/db/files.ts';
import { StorageError } from '#src/domain/errors.ts';
import { userId } from '#src/domain/ids.ts';
import { documentKey } from '#src/domain/keys.ts';
import { createListener } from '#src/db/listener.ts';
import { rewrapKeys } from '#src/jobs/rewrap-keys.ts';
import { startRunner } from '#src/jobs/runner.ts';
import type { KeyVault } from '#src/ports/key-vault.ts';
import { keepKeys } from '#src/services/key-rotation.ts';
import { createKeysService } from '#src/services/keys.service.ts';
import { newFileId } from '#src/services/new-id.ts';
import { createRunsService } from '#src/services/runs.service.ts';
import { createStorageSecurityService } from '#src/services/storage-security.service.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { until } from '#test/support/app.ts';

const ADMIN = { userId: 'admin-1', roles: ['admin'] } as const;
const DAY_MS = 86_400_000;
const POLICY = { rotationDays: 7, lifetimeDays: 30 };

let database: TestDatabase;
let folder: string;
let vault: KeyVault;
let now: Date;
let log: ReturnType<typeof recordingLog>;
let closing: (() => Promise<void>)[];

beforeEach(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'localex-rotation-'));
  vault = await createLocalKeyVault({ path: join(folder, 'vault.key') });
  now = new Date();
  log = recordingLog();
  closing = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  await vault.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const deps = () => ({ db: database.db, vault, clock: { now: () => now }, log });

function securityWith(keys: KeyVault) {
  const { db } = database;
  return createStorageSecurityService({
    db,
    storage: { getSignedUrl: async () => '' },
    vault: keys,
    signedUrlMaxSeconds: 60,
    documentKeys: {
      save: (id, key, trx) => saveDocumentKey(trx ?? db, id, key),
      load: (id) => loadDocumentKey(db, id),
      destroy: (id, trx) => destroyDocumentKey(trx ?? db, id),
    },
  });
}

/** A document of its own owner, encrypted; what lies in the object store. */
async function newDocument(content: string) {
  const fileId = newFileId();
  const owner = userId(`user-${fileId}`);
  await insertFile(database.db, {
    id: fileId,
    kind: 'verification_document',
    itemId: null,
    ownerId: owner,
    position: null,
    filename: 'passport.jpg',
    claimedType: null,
    claimedBytes: null,
    claimedSha256: null,
    deadlineAt: new Date(Date.now() + 60_000),
  });
  const encrypted = Readable.from([Buffer.from(content)]).pipe(
    await securityWith(vault).encryptFile({ fileId, ownerId: owner }),
  );
  return { fileId, ownerId: owner, key: documentKey(owner, fileId), object: await buffer(encrypted) };
}
type StoredDocument = Awaited<ReturnType<typeof newDocument>>;

async function read({ fileId, ownerId, object }: StoredDocument, keys: KeyVault = vault): Promise<string> {
  return text(Readable.from([object]).pipe(await securityWith(keys).decryptFile({ fileId, ownerId })));
}

async function startWorker(at: KeyVault = vault): Promise<{ close(): Promise<void> }> {
  const listener = createListener({ connection: database.connection, log });
  const runner = await startRunner(deps(), listener, {
    'rewrap-keys': rewrapKeys({ ...deps(), vault: at }, { settleMs: 0 }),
  });
  const close = async () => {
    await runner.close();
    await listener.close();
  };
  closing.push(close);
  return { close };
}

async function isRewrapped(): Promise<boolean> {
  const current = (await vault.wrappingKeys()).find((key) => key.isCurrent)?.id;
  return [...(await countByWrappingKey(database.db)).keys()].every((id) => id === current);
}

async function untilRewrapped(): Promise<void> {
  await until('every key to be re-wrapped', async () => ((await isRewrapped()) ? true : null));
}

describe('rotation (row 28)', () => {
  test('old documents open before, during and after the re-wrap, which finishes', async () => {
    const documents = await Promise.all(
      Array.from({ length: 230 }, (_, index) => newDocument(`passport ${index}`)),
    );
    const service = createKeysService({ vault, runs: createRunsService({ db: database.db }) });
    let reading = true;
    const reader = (async () => {
      let reads = 0;
      while (reading)
        for (const [index, document] of documents.entries()) {
          if (!reading) break;
          expect(await read(document)).toBe(`passport ${index}`);
          reads += 1;
        }
      return reads;
    })();
    const run = await service.rotate(ADMIN, { dryRun: false, destroyOld: false });
    const written = [await newDocument('written meanwhile')];
    await startWorker();
    written.push(await newDocument('and this'));
    await untilRewrapped();
    reading = false;
    expect(await reader).toBeGreaterThan(0);
    for (const [index, document] of documents.entries())
      expect(await read(document)).toBe(`passport ${index}`);
    expect(await Promise.all(written.map((document) => read(document)))).toEqual([
      'written meanwhile',
      'and this',
    ]);
    const ended = await until('the run to end', async () => {
      const { run: found } = await createRunsService({ db: database.db }).get(ADMIN, run.id, { limit: 1 });
      return found.finishedAt === null ? null : found;
    });
    expect(ended).toMatchObject({ state: 'succeeded', result: { failed: 0, destroyed: [] } });
  });

  test('a re-wrap whose process is killed goes on, and no document is lost', async () => {
    for (let index = 0; index < 60; index += 1) await newDocument(`passport ${index}`);
    await createKeysService({ vault, runs: createRunsService({ db: database.db }) }).rotate(ADMIN, {
      dryRun: false,
      destroyOld: true,
    });
    const script = new URL('../rewrap-process.ts', import.meta.url).pathname;
    const child = spawn(
      process.execPath,
      [script, JSON.stringify(database.connection), join(folder, 'vault.key')],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('some keys to be re-wrapped', async () =>
      (await countByWrappingKey(database.db)).size === 2 ? true : null,
    );
    child.kill('SIGKILL');
    await ended;
    const counts = await countByWrappingKey(database.db);
    expect(counts.size).toBe(2);
    await startWorker();
    await untilRewrapped();
    await until('the old key to be destroyed', async () =>
      (await vault.wrappingKeys()).length === 1 ? true : null,
    );
    expect([...(await countByWrappingKey(database.db)).values()]).toEqual([60]);
  });

  test('a document that is shredded while it is re-wrapped stays shredded', async () => {
    const document = await newDocument('passport');
    await vault.rotate();
    const slow: KeyVault = {
      ...vault,
      rewrap: async (wrapped, context) => {
        await destroyDocumentKey(database.db, document.fileId);
        return vault.rewrap(wrapped, context);
      },
    };
    await createRunsService({ db: database.db }).start(ADMIN, 'rewrap-keys', {}, { dryRun: false });
    await startWorker(slow);
    await untilRewrapped();
    expect(await loadDocumentKey(database.db, document.fileId)).toBeNull();
  });

  test('a key that cannot be re-wrapped is reported, the others are re-wrapped, and the old key is kept', async () => {
    const damaged = await newDocument('damaged');
    const whole = await newDocument('whole');
    const wrapped = await loadDocumentKey(database.db, damaged.fileId);
    await destroyDocumentKey(database.db, damaged.fileId);
    const spoilt = { keyId: wrapped?.keyId ?? '', ciphertext: Buffer.alloc(60, 1) };
    await saveDocumentKey(database.db, damaged.fileId, spoilt);
    const runs = createRunsService({ db: database.db });
    const { id } = await createKeysService({ vault, runs }).rotate(ADMIN, {
      dryRun: false,
      destroyOld: true,
    });
    await startWorker();
    const ended = await until('the run to end', async () => {
      const found = await runs.get(ADMIN, id, { limit: 10 });
      return found.run.finishedAt === null ? null : found;
    });
    expect(ended.run.result).toMatchObject({ destroyed: [] });
    expect(ended.actions).toContainEqual(
      expect.objectContaining({ action: 'rewrap-failed', subject: damaged.fileId }),
    );
    expect(await read(whole)).toBe('whole');
    expect(await vault.wrappingKeys()).toHaveLength(2);
  });

  test('is for admins, is audited, and a dry run makes no key', async () => {
    const service = createKeysService({ vault, runs: createRunsService({ db: database.db }) });
    const options = { dryRun: true, destroyOld: false };
    for (const role of ['seller', 'moderator', 'service'] as const)
      await expect(service.rotate({ userId: 'x', roles: [role] }, options)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    await service.rotate(ADMIN, options);
    expect(await vault.wrappingKeys()).toHaveLength(1);
    await service.rotate(ADMIN, { ...options, dryRun: false });
    // The request makes no key: the process that answers it may have no right to.
    expect(await vault.wrappingKeys()).toHaveLength(1);
    await startWorker();
    await until('both runs to end', async () => {
      const { runs } = await createRunsService({ db: database.db }).list(ADMIN, { limit: 10 });
      return runs.every(({ state }) => state === 'succeeded') ? true : null;
    });
    expect(await vault.wrappingKeys()).toHaveLength(2);
    const entries = await database.db.selectFrom('audit.entries').select(['action', 'user_id']).execute();
    expect(entries.map((entry) => entry.action).toSorted()).toEqual([
      'keys.rotate',
      'run.start',
      'run.start',
    ]);
    expect(new Set(entries.map((entry) => entry.user_id))).toEqual(new Set([ADMIN.userId]));
  });

  test('is refused at once where the key is fixed, and while the vault does not answer', async () => {
    const runs = createRunsService({ db: database.db });
    const options = { dryRun: false, destroyOld: false };
    const fixed = { ...vault, capabilities: { ...vault.capabilities, supportsRotation: false } };
    await expect(createKeysService({ vault: fixed, runs }).rotate(ADMIN, options)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    const ping = async () => Promise.reject(new StorageError('KEYS_UNAVAILABLE'));
    await expect(
      createKeysService({ vault: { ...vault, ping }, runs }).rotate(ADMIN, options),
    ).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
    expect((await runs.list(ADMIN, { limit: 10 })).runs).toEqual([]);
  });

  test('a run that goes on after its worker ended makes no second key', async () => {
    for (let index = 0; index < 150; index += 1) await newDocument(`passport ${index}`);
    const failing: KeyVault = {
      ...vault,
      rewrap: async () => Promise.reject(new StorageError('KEYS_UNAVAILABLE')),
    };
    const runs = createRunsService({ db: database.db });
    await createKeysService({ vault, runs }).rotate(ADMIN, { dryRun: false, destroyOld: false });
    const worker = await startWorker(failing);
    await until('a worker to have failed', async () =>
      log.lines.some(({ message }) => message === 'a run stopped') ? true : null,
    );
    await worker.close();
    await startWorker();
    await untilRewrapped();
    expect(await vault.wrappingKeys()).toHaveLength(2);
  });
});

describe('the schedule of keys', () => {
  /** Days pass, with an hourly look at the keys and a worker that re-wraps. */
  async function live(days: number): Promise<void> {
    for (let day = 0; day < days; day += 1) {
      now = new Date(now.getTime() + DAY_MS);
      // A run that is about to end does not see the new key: the next look starts another.
      await until('a day of keys', async () => {
        await keepKeys(deps(), POLICY);
        return (await isRewrapped()) ? true : null;
      });
    }
  }
  /** The local vault dates its keys by the clock of the machine: here by that of the test. */
  function dated(inner: KeyVault): KeyVault {
    const made = new Map<string, Date>();
    const date = <T extends { id: string; createdAt: Date }>(key: T): T => ({
      ...key,
      createdAt: made.get(key.id) ?? key.createdAt,
    });
    return {
      ...inner,
      wrappingKeys: async () => (await inner.wrappingKeys()).map(date),
      rotate: async () => {
        const key = await inner.rotate();
        made.set(key.id, now);
        return date(key);
      },
    };
  }

  test('a deleted document and a backup older than the retention open nothing, a younger one and the living do', async () => {
    vault = dated(vault);
    const deleted = await newDocument('passport of somebody who left');
    const kept = await newDocument('passport of somebody who stays');
    await startWorker();

    const backup = await database.db.selectFrom('document_keys').selectAll().execute();
    await securityWith(vault).shredFile(deleted.fileId);
    await expect(read(deleted)).rejects.toMatchObject({ code: 'NOT_FOUND' });

    /** What somebody has who kept the objects, an old dump of the table, and gets all keys that there are now. */
    const openWithBackup = async ({ fileId, ownerId, object }: StoredDocument): Promise<string> => {
      const row = backup.find((entry) => entry.file_id === fileId);
      if (row === undefined) throw new Error('Expected a row in the backup');
      const thief = createStorageSecurityService({
        db: database.db,
        storage: { getSignedUrl: async () => '' },
        vault,
        signedUrlMaxSeconds: 60,
        documentKeys: {
          save: async () => undefined,
          load: async () => ({ keyId: row.key_id, ciphertext: row.ciphertext }),
          destroy: async () => undefined,
        },
      });
      return text(Readable.from([object]).pipe(await thief.decryptFile({ fileId, ownerId })));
    };

    await live(22);
    // Within the retention a backup is of use: it brings everything back.
    expect(await openWithBackup(deleted)).toBe('passport of somebody who left');
    await live(8);
    for (const document of [deleted, kept])
      await expect(openWithBackup(document)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await readFile(join(folder, 'vault.key'), 'utf8')).not.toContain(backup[0]?.key_id);
    // Who stayed was re-wrapped all along.
    expect(await read(kept)).toBe('passport of somebody who stays');
    await live(70);
    expect(await read(kept)).toBe('passport of somebody who stays');
    expect((await vault.wrappingKeys()).length).toBeLessThanOrEqual(5);
  }, 60_000);

  test('a key that documents still need outlives its time, and that is said', async () => {
    vault = dated(vault);
    const document = await newDocument('passport');
    await vault.rotate();
    now = new Date(now.getTime() + 40 * DAY_MS);
    await keepKeys(deps(), POLICY);
    expect(await read(document)).toBe('passport');
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: 'a wrapping key is due to be destroyed and still needed' }),
    );
  });

  test('rotates nothing before its time, and one run re-wraps at a time', async () => {
    vault = dated(vault);
    await newDocument('passport');
    await keepKeys(deps(), POLICY);
    expect(await vault.wrappingKeys()).toHaveLength(1);
    now = new Date(now.getTime() + 7 * DAY_MS);
    await keepKeys(deps(), POLICY);
    await keepKeys(deps(), POLICY);
    expect(await vault.wrappingKeys()).toHaveLength(2);
    expect(await database.db.selectFrom('runs').select('kind').execute()).toEqual([{ kind: 'rewrap-keys' }]);
  });
});
