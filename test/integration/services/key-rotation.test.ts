import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  countByWrappingKey,
  destroyDocumentKey,
  loadDocumentKey,
  saveDocumentKey,
} from '#src/db/document-keys.ts';
import { StorageError } from '#src/domain/errors.ts';
import type { KeyVault } from '#src/ports/key-vault.ts';
import { createKeysService } from '#src/services/keys.service.ts';
import { createRunsService } from '#src/services/runs.service.ts';
import { until } from '#test/support/app.ts';
import { openRotation, type Rotation } from './key-rotation-harness.ts';

const ADMIN = { userId: 'admin-1', roles: ['admin'] } as const;

let on: Rotation;
beforeEach(async () => {
  on = await openRotation();
});
afterEach(() => on.close());

describe('rotation (row 28)', () => {
  test('old documents open before, during and after the re-wrap, which finishes', async () => {
    const documents = await Promise.all(
      Array.from({ length: 230 }, (_, index) => on.newDocument(`passport ${index}`)),
    );
    const service = createKeysService({ vault: on.vault, runs: createRunsService({ db: on.database.db }) });
    let reading = true;
    const reader = (async () => {
      let reads = 0;
      while (reading)
        for (const [index, document] of documents.entries()) {
          if (!reading) break;
          expect(await on.read(document)).toBe(`passport ${index}`);
          reads += 1;
        }
      return reads;
    })();
    const run = await service.rotate(ADMIN, { dryRun: false, destroyOld: false });
    const written = [await on.newDocument('written meanwhile')];
    await on.startWorker();
    written.push(await on.newDocument('and this'));
    await on.untilRewrapped();
    reading = false;
    expect(await reader).toBeGreaterThan(0);
    for (const [index, document] of documents.entries())
      expect(await on.read(document)).toBe(`passport ${index}`);
    expect(await Promise.all(written.map((document) => on.read(document)))).toEqual([
      'written meanwhile',
      'and this',
    ]);
    const ended = await until('the run to end', async () => {
      const { run: found } = await createRunsService({ db: on.database.db }).get(ADMIN, run.id, { limit: 1 });
      return found.finishedAt === null ? null : found;
    });
    expect(ended).toMatchObject({ state: 'succeeded', result: { failed: 0, destroyed: [] } });
  });

  test('a re-wrap whose process is killed goes on, and no document is lost', async () => {
    for (let index = 0; index < 60; index += 1) await on.newDocument(`passport ${index}`);
    await createKeysService({ vault: on.vault, runs: createRunsService({ db: on.database.db }) }).rotate(
      ADMIN,
      {
        dryRun: false,
        destroyOld: true,
      },
    );
    const script = new URL('../rewrap-process.ts', import.meta.url).pathname;
    const child = spawn(
      process.execPath,
      [script, JSON.stringify(on.database.connection), join(on.folder, 'vault.key')],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('some keys to be re-wrapped', async () =>
      (await countByWrappingKey(on.database.db)).size === 2 ? true : null,
    );
    child.kill('SIGKILL');
    await ended;
    const counts = await countByWrappingKey(on.database.db);
    expect(counts.size).toBe(2);
    await on.startWorker();
    await on.untilRewrapped();
    await until('the old key to be destroyed', async () =>
      (await on.vault.wrappingKeys()).length === 1 ? true : null,
    );
    expect([...(await countByWrappingKey(on.database.db)).values()]).toEqual([60]);
  });

  test('a document that is shredded while it is re-wrapped stays shredded', async () => {
    const document = await on.newDocument('passport');
    await on.vault.rotate();
    const slow: KeyVault = {
      ...on.vault,
      rewrap: async (wrapped, context) => {
        await destroyDocumentKey(on.database.db, document.fileId);
        return on.vault.rewrap(wrapped, context);
      },
    };
    await createRunsService({ db: on.database.db }).start(ADMIN, 'rewrap-keys', {}, { dryRun: false });
    await on.startWorker(slow);
    await on.untilRewrapped();
    expect(await loadDocumentKey(on.database.db, document.fileId)).toBeNull();
  });

  test('a key that cannot be re-wrapped is reported, the others are re-wrapped, and the old key is kept', async () => {
    const damaged = await on.newDocument('damaged');
    const whole = await on.newDocument('whole');
    const wrapped = await loadDocumentKey(on.database.db, damaged.fileId);
    await destroyDocumentKey(on.database.db, damaged.fileId);
    const spoilt = { keyId: wrapped?.keyId ?? '', ciphertext: Buffer.alloc(60, 1) };
    await saveDocumentKey(on.database.db, damaged.fileId, spoilt);
    const runs = createRunsService({ db: on.database.db });
    const { id } = await createKeysService({ vault: on.vault, runs }).rotate(ADMIN, {
      dryRun: false,
      destroyOld: true,
    });
    await on.startWorker();
    const ended = await until('the run to end', async () => {
      const found = await runs.get(ADMIN, id, { limit: 10 });
      return found.run.finishedAt === null ? null : found;
    });
    expect(ended.run.result).toMatchObject({ destroyed: [] });
    expect(ended.actions).toContainEqual(
      expect.objectContaining({ action: 'rewrap-failed', subject: damaged.fileId }),
    );
    expect(await on.read(whole)).toBe('whole');
    expect(await on.vault.wrappingKeys()).toHaveLength(2);
  });

  test('is for admins, is audited, and a dry run makes no key', async () => {
    const service = createKeysService({ vault: on.vault, runs: createRunsService({ db: on.database.db }) });
    const options = { dryRun: true, destroyOld: false };
    for (const role of ['seller', 'moderator', 'service'] as const)
      await expect(service.rotate({ userId: 'x', roles: [role] }, options)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    await service.rotate(ADMIN, options);
    expect(await on.vault.wrappingKeys()).toHaveLength(1);
    await service.rotate(ADMIN, { ...options, dryRun: false });
    // The request makes no key: the process that answers it may have no right to.
    expect(await on.vault.wrappingKeys()).toHaveLength(1);
    await on.startWorker();
    await until('both runs to end', async () => {
      const { runs } = await createRunsService({ db: on.database.db }).list(ADMIN, { limit: 10 });
      return runs.every(({ state }) => state === 'succeeded') ? true : null;
    });
    expect(await on.vault.wrappingKeys()).toHaveLength(2);
    const entries = await on.database.db.selectFrom('audit.entries').select(['action', 'user_id']).execute();
    expect(entries.map((entry) => entry.action).toSorted()).toEqual([
      'keys.rotate',
      'run.start',
      'run.start',
    ]);
    expect(new Set(entries.map((entry) => entry.user_id))).toEqual(new Set([ADMIN.userId]));
  });

  test('is refused at once where the key is fixed, and while the on.vault does not answer', async () => {
    const runs = createRunsService({ db: on.database.db });
    const options = { dryRun: false, destroyOld: false };
    const fixed = { ...on.vault, capabilities: { ...on.vault.capabilities, supportsRotation: false } };
    await expect(createKeysService({ vault: fixed, runs }).rotate(ADMIN, options)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    const ping = async () => Promise.reject(new StorageError('KEYS_UNAVAILABLE'));
    await expect(
      createKeysService({ vault: { ...on.vault, ping }, runs }).rotate(ADMIN, options),
    ).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
    expect((await runs.list(ADMIN, { limit: 10 })).runs).toEqual([]);
  });

  test('a run that goes on after its worker ended makes no second key', async () => {
    for (let index = 0; index < 150; index += 1) await on.newDocument(`passport ${index}`);
    const failing: KeyVault = {
      ...on.vault,
      rewrap: async () => Promise.reject(new StorageError('KEYS_UNAVAILABLE')),
    };
    const runs = createRunsService({ db: on.database.db });
    await createKeysService({ vault: on.vault, runs }).rotate(ADMIN, { dryRun: false, destroyOld: false });
    const worker = await on.startWorker(failing);
    await until('a worker to have failed', async () =>
      on.log.lines.some(({ message }) => message === 'a run stopped') ? true : null,
    );
    await worker.close();
    await on.startWorker();
    await on.untilRewrapped();
    expect(await on.vault.wrappingKeys()).toHaveLength(2);
  });
});
