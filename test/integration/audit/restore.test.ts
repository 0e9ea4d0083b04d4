import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordAccess } from '#src/db/access-log.ts';
import { sealEntries } from '#src/db/audit/sealing.ts';
import { createAuditService } from '#src/services/audit.service.ts';
import { anchorHead, readAnchors } from '#src/services/audit/anchors.ts';
import { verifyLedger } from '#src/services/audit/verify.ts';
import { databaseServers } from '#test/support/database.ts';
import { asSuperuser } from '#test/support/superuser.ts';
import { type Ledger, openLedger } from './ledger.ts';

const ADMIN = { userId: 'admin-1', roles: ['admin'] } as const;
const REASON = 'Disk of the database failed; restored the backup of last night';

describe.each(databaseServers())('after a restore of the database on $name', (server) => {
  let ledger: Ledger;
  let audit: ReturnType<typeof createAuditService>;
  beforeEach(async () => {
    ledger = await openLedger(server);
    audit = createAuditService(ledger);
  });
  afterEach(() => ledger.close());

  const verify = (from: 'start' | 'last_anchor' = 'start') => verifyLedger(ledger, { from });
  const tamper = (...statements: readonly string[]) => asSuperuser(ledger.database, ...statements);
  const anchorKeys = async () => (await readAnchors(ledger, 0)).map(({ key }) => key);
  const sealAll = async () => {
    while ((await sealEntries(ledger.db, 100)) !== 0);
  };

  /** Anchors after 10 and 30 rows, a backup after 35, anchors after 50 and 60 that the restored chain has lost. */
  async function setBack(): Promise<{ lastGood: string; lost: string[] }> {
    await ledger.fill(10);
    await anchorHead(ledger);
    await ledger.fill(20);
    await anchorHead(ledger);
    await ledger.fill(5);
    const good = await anchorKeys();
    const restore = await ledger.backUp();
    await ledger.fill(15);
    await anchorHead(ledger);
    await ledger.fill(10);
    await anchorHead(ledger);
    await restore();
    return { lastGood: good.at(-1) ?? '', lost: (await anchorKeys()).slice(good.length) };
  }

  test('its lost anchors are accepted by name, listed for ever, and everything else is compared as before', async () => {
    const { lastGood, lost } = await setBack();
    expect(await verify()).toMatchObject({ problem: { damage: 'truncated', seq: 36 } });
    expect(await audit.restores(ADMIN)).toEqual({ accepted: [], open: { lastGood, anchors: lost } });
    const read = await audit.list(ADMIN, { action: 'audit.restores' }, { limit: 10 });
    expect(read.entries).toMatchObject([{ userId: 'admin-1', fileId: null }]);

    const point = await audit.acceptRestore(ADMIN, { lastGood, reason: REASON });
    expect(point).toMatchObject({ acceptedBy: 'admin-1', reason: REASON, lastGood, anchors: lost });
    await sealAll();
    const whole = { ok: true, problem: null, accepted: [point] };
    for (const from of ['start', 'last_anchor'] as const) expect(await verify(from)).toMatchObject(whole);
    expect(await audit.restores(ADMIN)).toEqual({ accepted: [point], open: null });
    const { entries } = await audit.list(ADMIN, { action: 'ledger.restored' }, { limit: 10 });
    expect(entries).toMatchObject([
      { userId: 'admin-1', seq: 38, details: { key: point.key, reason: REASON, lastGood, anchors: lost } },
    ]);
    expect(ledger.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        details: expect.objectContaining({ by: 'admin-1', reason: REASON, alarm: 'ledger restored' }),
        message: 'a restore of the audit ledger was accepted',
      }),
    );

    // The chain grows past the places that were lost, with anchors of its own beside theirs.
    for (const count of [14, 10, 30]) {
      await ledger.fill(count);
      await anchorHead(ledger);
    }
    for (const from of ['start', 'last_anchor'] as const) expect(await verify(from)).toMatchObject(whole);
    expect(await anchorKeys()).toHaveLength(7);
    expect((await verify()).anchors).toBe(5);
  });

  test('it is accepted as well once the chain has grown over what was lost', async () => {
    const { lastGood, lost } = await setBack();
    await ledger.fill(15);
    await anchorHead(ledger);
    await ledger.fill(30);
    await anchorHead(ledger);
    expect(await verify()).toMatchObject({ problem: { damage: 'rewritten' } });
    expect(await audit.restores(ADMIN)).toMatchObject({ open: { lastGood, anchors: lost } });
    await audit.acceptRestore(ADMIN, { lastGood, reason: REASON });
    await sealAll();
    expect(await verify()).toMatchObject({ ok: true, accepted: [{ anchors: lost }] });
  });

  test('a second restore, from before the first was accepted, is accepted with all that is lost then', async () => {
    const { lastGood, lost } = await setBack();
    const restore = await ledger.backUp();
    await audit.acceptRestore(ADMIN, { lastGood, reason: REASON });
    await ledger.fill(100);
    await anchorHead(ledger);
    await restore();
    const { open } = await audit.restores(ADMIN);
    expect(open?.anchors).toHaveLength(lost.length + 1);
    await audit.acceptRestore(ADMIN, { lastGood, reason: 'And once more' });
    await sealAll();
    expect(await verify()).toMatchObject({ ok: true, accepted: [{ reason: 'And once more' }] });
  });

  describe('nothing is hidden:', () => {
    test('what is cut off later is seen, also where lost anchors were accepted', async () => {
      const { lastGood } = await setBack();
      await audit.acceptRestore(ADMIN, { lastGood, reason: REASON });
      await ledger.fill(10);
      await anchorHead(ledger);
      await tamper(
        `delete from audit.entries where id in (select entry_id from audit.seals where seq > 40)`,
        `delete from audit.seals where seq > 40`,
        `delete from audit.anchors where seq > 40`,
      );
      for (const from of ['start', 'last_anchor'] as const)
        expect(await verify(from)).toMatchObject({ ok: false, problem: { damage: 'truncated' } });
    });

    test('an entry that says so by itself accepts nothing, and is named', async () => {
      const { lastGood, lost } = await setBack();
      await forge(lastGood, lost);
      expect(await verify()).toMatchObject({ problem: { damage: 'truncated' }, accepted: [] });
      await ledger.fill(40);
      expect(await verify()).toMatchObject({ problem: { damage: 'rewritten' }, accepted: [] });
      await expect(audit.acceptRestore(ADMIN, { lastGood, reason: REASON })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('counts for nothing'),
      });
    });

    test('such an entry is named in a ledger that has lost nothing, too', async () => {
      await ledger.fill(5);
      await forge('', []);
      expect(await verify()).toMatchObject({ problem: { damage: 'anchor_missing', seq: 6 } });
    });

    async function forge(lastGood: string, anchors: readonly string[]): Promise<void> {
      const key = `audit/restores/${'0'.repeat(16)}-${'a'.repeat(64)}.json`;
      const details = { key, reason: REASON, lastGood, anchors };
      await recordAccess(ledger.db, { userId: 'admin-1', action: 'ledger.restored', fileId: null, details });
      await sealAll();
    }

    test('an object in the store without an entry of the ledger accepts nothing', async () => {
      const { lastGood } = await setBack();
      const restore = await ledger.backUp();
      await audit.acceptRestore(ADMIN, { lastGood, reason: REASON });
      await restore();
      expect(await verify()).toMatchObject({ problem: { damage: 'truncated' }, accepted: [] });
    });

    test('an object that was replaced in the store is not believed', async () => {
      const { lastGood } = await setBack();
      const { key } = await audit.acceptRestore(ADMIN, { lastGood, reason: REASON });
      await sealAll();
      const body = Buffer.from(
        JSON.stringify({ acceptedBy: 'x', acceptedAt: '', reason: '', lastGood, anchors: [] }),
      );
      await ledger.storage.uploadFile(body, { key, contentType: 'application/json' });
      expect(await verify()).toMatchObject({ ok: false, accepted: [] });
    });

    test('what else somebody puts beside them is not believed either', async () => {
      await setBack();
      for (const text of ['no JSON', '{"anchors":[]}']) {
        const sha256 = createHash('sha256').update(text).digest('hex');
        const key = `audit/restores/${'0'.repeat(16)}-${sha256}.json`;
        await ledger.storage.uploadFile(Buffer.from(text), { key, contentType: 'application/json' });
      }
      expect(await verify()).toMatchObject({ problem: { damage: 'truncated' }, accepted: [] });
    });

    test('other damage behind the last good anchor is not accepted with it', async () => {
      const { lastGood } = await setBack();
      await tamper(
        `update audit.entries set user_id = 'x' where id = (select entry_id from audit.seals where seq = 33)`,
      );
      await expect(audit.acceptRestore(ADMIN, { lastGood, reason: REASON })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('Row 33'),
      });
      expect(await audit.restores(ADMIN)).toMatchObject({ accepted: [] });
    });
  });

  test('only what was seen is accepted, by an admin, and only where something is lost', async () => {
    await ledger.fill(5);
    await anchorHead(ledger);
    const nothing = { lastGood: null, reason: REASON };
    await expect(audit.acceptRestore(ADMIN, nothing)).rejects.toMatchObject({ code: 'CONFLICT' });
    const { lastGood } = await setBack();
    await expect(audit.acceptRestore(ADMIN, nothing)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    for (const role of ['seller', 'moderator', 'service'] as const) {
      const who = { userId: 'x', roles: [role] };
      await expect(audit.acceptRestore(who, { lastGood, reason: REASON })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await expect(audit.restores(who)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect((await ledger.storage.listFiles('audit/restores/').page()).objects).toEqual([]);
  });
});
