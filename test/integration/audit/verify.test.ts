import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordAccess } from '#src/db/access-log.ts';
import { sealEntries } from '#src/db/audit/sealing.ts';
import { anchorHead, readAnchors } from '#src/services/audit/anchors.ts';
import { verifyLedger } from '#src/services/audit/verify.ts';
import { type Fault, slowDown } from '#test/support/faulty-store.ts';
import { databaseServers } from '#test/support/database.ts';
import { asSuperuser } from '#test/support/superuser.ts';
import { type Ledger, openLedger } from './ledger.ts';

describe.each(databaseServers())('verifying on $name', (server) => {
  let ledger: Ledger;
  beforeEach(async () => {
    ledger = await openLedger(server);
  });
  afterEach(() => ledger.close());

  const verify = (from: 'start' | 'last_anchor' = 'start') => verifyLedger(ledger, { from });
  const tamper = (...statements: readonly string[]) => asSuperuser(ledger.database, ...statements);
  const entryOf = async (seq: number) =>
    (
      await ledger.db
        .selectFrom('audit.seals')
        .select('entry_id')
        .where('seq', '=', seq)
        .executeTakeFirstOrThrow()
    ).entry_id;

  test('an untouched ledger is good, empty or full, from the start and from the last anchor', async () => {
    expect(await verify()).toMatchObject({ ok: true, problem: null, checked: 0 });
    await ledger.fill(2500);
    await anchorHead(ledger);
    await ledger.fill(10);
    expect(await verify()).toMatchObject({ ok: true, checked: 2510, anchors: 1, to: { seq: 2510 } });
    expect(await verify('last_anchor')).toMatchObject({ ok: true, checked: 10, from: { seq: 2500 } });
  });

  test('an anchor that is gone from the object store is missed', async () => {
    await ledger.fill(5);
    await anchorHead(ledger);
    for await (const { key } of ledger.storage.listFiles('audit/')) await ledger.storage.deleteFile(key);
    expect(await verify()).toMatchObject({ problem: { damage: 'anchor_missing', seq: 5 } });
  });

  describe('while the object store does not answer', () => {
    const down = (times: number): Fault[] => Array.from({ length: times }, () => slowDown);
    const unread = {
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('anchors of the audit ledger could not be read'),
    };

    test.each(['start', 'last_anchor'] as const)('from the %s, it says so and nothing else', async (from) => {
      await ledger.fill(5);
      await anchorHead(ledger);
      ledger.primary.plan('list', ...down(1));
      await expect(verify(from)).rejects.toMatchObject(unread);
      expect(await verify(from)).toMatchObject({ ok: true, anchors: 1 });
    });

    test('an anchor that cannot be looked for is not called missing', async () => {
      await ledger.fill(5);
      await anchorHead(ledger);
      for await (const { key } of ledger.storage.listFiles('audit/')) await ledger.storage.deleteFile(key);
      ledger.primary.plan('head', ...down(1));
      await expect(verify()).rejects.toMatchObject(unread);
      expect(await verify()).toMatchObject({ problem: { damage: 'anchor_missing', seq: 5 } });
    });
  });

  test('a row that nobody seals is named after a minute', async () => {
    await recordAccess(ledger.db, { userId: 'user-1', action: 'document.read', fileId: null });
    expect(await verify()).toMatchObject({ ok: true });
    await tamper(
      `update audit.entries set at = at - interval '2 minutes'`,
      `update audit.unsealed set entry_at = entry_at - interval '2 minutes'`,
    );
    expect(await verify()).toMatchObject({ problem: { damage: 'unsealed', seq: null } });
  });

  test('anchors are written only when the chain has grown, and say where it stood', async () => {
    expect(await anchorHead(ledger)).toBeNull();
    await ledger.fill(3);
    const head = await anchorHead(ledger);
    expect(head?.seq).toBe(3);
    expect(await anchorHead(ledger)).toBeNull();
    const hash = Buffer.from(head?.hash ?? []).toString('hex');
    expect(await readAnchors(ledger, 0)).toMatchObject([{ seq: 3, hash }]);
    // Died between the object and the row.
    await tamper('delete from audit.anchors');
    await anchorHead(ledger);
    expect(await verify()).toMatchObject({ ok: true, anchors: 1 });
  });

  test('going on from a state finds what goes wrong behind it', async () => {
    await ledger.fill(3500, 1000);
    const states: Parameters<NonNullable<Parameters<typeof verifyLedger>[1]['onPage']>>[0][] = [];
    const dies = verifyLedger(ledger, {
      from: 'start',
      onPage: async (state) => {
        states.push(state);
        if (states.length === 2) throw new Error('killed');
      },
    });
    await expect(dies).rejects.toThrow('killed');
    const [, resume] = states;
    if (resume === undefined) throw new Error('Expected a state');
    expect(resume.place.seq).toBe(2000);
    expect(await verifyLedger(ledger, { from: 'start', resume })).toMatchObject({ ok: true, checked: 3500 });
    await tamper(`update audit.entries set user_id = 'x' where id = ${await entryOf(3001)}`);
    expect(await verifyLedger(ledger, { from: 'start', resume })).toMatchObject({ problem: { seq: 3001 } });
  });

  test('a chain is verified while it grows', async () => {
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await recordAccess(ledger.db, { userId: 'user-1', action: 'photo.view', fileId: null });
        await sealEntries(ledger.db, 10);
        if (Math.random() < 0.2) await anchorHead(ledger);
      }
    })();
    for (let round = 0; round < 15; round += 1)
      expect(await verify(round % 2 === 0 ? 'start' : 'last_anchor')).toMatchObject({
        ok: true,
        problem: null,
      });
    writing = false;
    await writer;
  });
});
