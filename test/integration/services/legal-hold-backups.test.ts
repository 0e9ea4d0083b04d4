import { createHash, hash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ASIDE_FOLDER } from '#src/adapters/object-store/filesystem/paths.ts';
import type { Db } from '#src/db/schema.ts';
import { type ErrorCode, StorageError } from '#src/domain/errors.ts';
import { evidenceKey, objectKey } from '#src/domain/keys.ts';
import type { BackupSource } from '#src/ports/backup-source.ts';
import { ADMIN, knowViews } from '#test/support/ageing.ts';
import { distinctPhoto, expectNoOrphans, type TestApp, untilDelivered } from '#test/support/app.ts';
import { type ServedApp, startServedApp } from '#test/support/served-app.ts';
import {
  endAs,
  expectInQuarantine,
  expectNotServed,
  expectProved,
  goOn,
  takeDown,
  waiting,
} from './legal-hold-evidence-harness.ts';
import { bytesAt, type Held, heldPhoto, keysOf } from './legal-hold-harness.ts';

let served: ServedApp;
let app: TestApp;
beforeAll(async () => {
  served = await startServedApp();
  app = served.app;
  await knowViews(app);
}, 60_000);
afterAll(() => served.close());

/** A source that has those copies of the public original, and fails after them if it is to. */
function backup({ key }: Held, copies: readonly Buffer[], fails: ErrorCode | null = null): BackupSource {
  return {
    name: 'backup',
    async *copiesOf(asked) {
      if (asked === key) for (const copy of copies) yield Readable.from([copy]);
      if (fails !== null) throw new StorageError(fails);
    },
  };
}

async function changed(held: Held): Promise<Buffer> {
  const { body } = await distinctPhoto();
  await app.storage.uploadFile(body, { key: held.key, contentType: 'image/jpeg' });
  return body;
}

/** What would move it looks an hour later. */
const later = async (trx: Db, { id }: Held) =>
  void (await trx
    .updateTable('evidence_moves')
    .set({ due_at: new Date(Date.now() + 3_600_000) })
    .where('file_id', '=', id)
    .execute());

/** How many contents a store of files keeps hidden of a key; in a bucket without versions it keeps none. */
async function versionsOf({ app: { dataDir } }: ServedApp, key: string): Promise<number> {
  const folder = join(dataDir, 'objects', ASIDE_FOLDER, hash('sha256', key));
  return (await readdir(folder).catch(() => [])).length;
}

const stateOf = async ({ id }: Held) => (await app.lifecycle.getHold(ADMIN, id)).evidence[0];
const evidenceOf = ({ key }: Held) => evidenceKey(key) ?? '';
const alarmsOf = ({ key }: Held) =>
  app.lines.flatMap(({ details }) =>
    'from' in details && 'alarm' in details && details.from === key ? [details.alarm] : [],
  );

describe('evidence that was changed at its public key', () => {
  test('is what it was where a backup source has it; what was found in its place lies beside it until the hold is lifted', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const altered = await changed(held);
    await goOn(served, held, { backups: [backup(held, [altered, held.bytes])] });
    await expectInQuarantine(served, held);
    await expectProved(served, held);
    expect(await stateOf(held)).toMatchObject({ state: 'moved', error: null });
    expect(alarmsOf(held)).toEqual(['damaged']);
    const kept = await keysOf(app, held.id);
    expect(kept).toHaveLength(2);
    const beside = kept.find((key) => key !== evidenceOf(held)) ?? '';
    expect((await bytesAt(app, beside)).equals(altered)).toBe(true);
    const checks = await app.db
      .selectFrom('object_checks')
      .select(['key', 'sha256', 'damaged_at'])
      .where('key', 'in', kept)
      .execute();
    const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(checks.toSorted((a, b) => Number(a.key === beside) - Number(b.key === beside))).toEqual([
      { key: evidenceOf(held), sha256: hashOf(held.bytes), damaged_at: null },
      { key: beside, sha256: hashOf(altered), damaged_at: null },
    ]);
    await app.lifecycle.releaseHold(ADMIN, held.id);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toEqual([]);
  });

  test('stays where it is while a source does not answer that may have it', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const altered = await changed(held);
    await goOn(served, held, { backups: [backup(held, [altered], 'STORAGE_UNAVAILABLE')] });
    expect(await stateOf(held)).toMatchObject({ state: 'waiting', error: 'STORAGE_UNAVAILABLE' });
    expect((await bytesAt(app, held.key)).equals(altered)).toBe(true);
    await expectNotServed(served, held);
    await goOn(served, held, { backups: [backup(held, [held.bytes])] });
    await expectInQuarantine(served, held);
  });

  test('is kept as it was found where no source has it, and nothing else of the move stays', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const altered = await changed(held);
    await goOn(served, held, { backups: [backup(held, [altered], 'OBJECT_ARCHIVED')] });
    expect(await stateOf(held)).toMatchObject({ state: 'moved' });
    expect(alarmsOf(held)).toEqual(['damaged']);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toEqual([evidenceOf(held)]);
    expect((await bytesAt(app, evidenceOf(held))).equals(altered)).toBe(true);
    await expectNoOrphans(app);
  });

  test.each(['lifted', 'lifted from what has failed, and goes with it'] as const)(
    'and was hidden there, is removed in every version when the hold is %s',
    async (how) => {
      const held = await heldPhoto(app);
      if (how === 'lifted') await waiting(served, held);
      else await endAs(served, held, 'failed', (trx) => later(trx, held));
      await untilDelivered(app);
      await changed(held);
      await goOn(served, held, { backups: [backup(held, [], 'OBJECT_ARCHIVED')] });
      await untilDelivered(app);
      const versions = await versionsOf(served, held.key);
      await app.lifecycle.releaseHold(ADMIN, held.id);
      await untilDelivered(app);
      expect(versions).toBeGreaterThan(0);
      expect(await versionsOf(served, held.key)).toBe(0);
      await expectNoOrphans(app);
    },
  );

  test('is no view for an appeal when its photo is taken down: it is moved as evidence', async () => {
    const held = await heldPhoto(app);
    await changed(held);
    await takeDown(served, held.id);
    await untilDelivered(app);
    expect(await stateOf(held)).toMatchObject({ key: held.key, state: 'moved' });
    expect(alarmsOf(held)).toEqual(['damaged']);
  });
});

describe('evidence that is missing at its public key', () => {
  test('comes from a backup source that has it', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    await app.storage.deleteFile(held.key);
    await goOn(served, held, { backups: [backup(held, [Buffer.from('other'), held.bytes])] });
    await expectInQuarantine(served, held);
    expect(await stateOf(held)).toMatchObject({ state: 'moved', error: null });
  });

  test.each(['STORAGE_UNAVAILABLE', 'OBJECT_ARCHIVED'] as const)(
    'is looked for again while a source cannot be asked for all it has (%s)',
    async (code) => {
      const held = await heldPhoto(app);
      await waiting(served, held);
      await app.storage.deleteFile(held.key);
      await goOn(served, held, { backups: [backup(held, [], code)] });
      expect(await stateOf(held)).toMatchObject({ state: 'waiting', error: code });
      await goOn(served, held, { backups: [backup(held, [held.bytes])] });
      await expectInQuarantine(served, held);
    },
  );

  test('is lost where all were asked: the hold says so, an alarm too, and nobody looks again', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    await app.storage.deleteFile(held.key);
    await goOn(served, held, { backups: [backup(held, [Buffer.from('other')])] });
    const lost = { key: held.key, state: 'lost', error: 'NOT_FOUND', movedAt: null };
    expect(await stateOf(held)).toMatchObject(lost);
    expect(alarmsOf(held)).toEqual(['lost']);
    await goOn(served, held, { backups: [backup(held, [held.bytes])] });
    expect(await stateOf(held)).toMatchObject(lost);
    await expectNotServed(served, held);
    await app.lifecycle.releaseHold(ADMIN, held.id);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toEqual([]);
    await expectNoOrphans(app);
  });
});

describe('evidence whose hash no row knows', () => {
  test('gets the hash that it has when it is moved', async () => {
    const held = await heldPhoto(app);
    await endAs(served, held, 'failed', async (trx) => {
      await trx.updateTable('evidence_moves').set({ sha256: null }).where('file_id', '=', held.id).execute();
    });
    await expectInQuarantine(served, held);
    const check = await app.db
      .selectFrom('object_checks')
      .select('sha256')
      .where('key', '=', objectKey(evidenceOf(held)))
      .executeTakeFirstOrThrow();
    expect(check.sha256).toBe(createHash('sha256').update(held.bytes).digest('hex'));
  });
});
