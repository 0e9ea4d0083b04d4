import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordAccess } from '#src/db/access-log.ts';
import { listMonths } from '#src/db/audit/months.ts';
import { ledgerWeakness, ownerStatements } from '#src/db/audit/owner.ts';
import { sealEntries } from '#src/db/audit/sealing.ts';
import { anchorHead } from '#src/services/audit/anchors.ts';
import { keepMonths } from '#src/services/audit/retention.ts';
import { verifyLedger } from '#src/services/audit/verify.ts';
import { databaseServers } from '#test/support/database.ts';
import { asSuperuser } from '#test/support/superuser.ts';
import { type Ledger, openLedger } from './ledger.ts';

const NOW = new Date();

describe.each(databaseServers())('the ledger on $name', (server) => {
  let ledger: Ledger;
  beforeEach(async () => {
    ledger = await openLedger(server);
  });
  afterEach(() => ledger.close());

  const FORBIDDEN = [
    `update audit.entries set user_id = 'x'`,
    `delete from audit.entries`,
    `truncate audit.entries`,
    `update audit.seals set seq = seq`,
    `delete from audit.seals`,
    `truncate audit.seals`,
    `update audit.anchors set seq = 0`,
    `delete from audit.anchors`,
    `truncate audit.anchors`,
  ];

  test('refuses every change and removal, also to who owns it', async () => {
    await ledger.fill(3);
    await anchorHead(ledger);
    const [month] = await listMonths(ledger.db);
    const inMonth = [
      `truncate audit.entries_${month?.replace('-', '_')}`,
      `delete from audit.entries_${month?.replace('-', '_')}`,
      `truncate audit.entries_rest`,
    ];
    for (const statement of [...FORBIDDEN, ...inMonth])
      await expect(sql.raw(statement).execute(ledger.db), statement).rejects.toThrow(/append-only/);
    expect(await verifyLedger(ledger, { from: 'start' })).toMatchObject({ ok: true, checked: 3 });
  });

  describe('with an owner of its own', () => {
    let service: string;
    beforeEach(async () => {
      const { rows } = await sql<{ name: string }>`select current_user as name`.execute(ledger.db);
      service = rows[0]?.name ?? '';
      await asSuperuser(ledger.database, ...ownerStatements(service), ...ownerStatements(service));
    });

    test.skipIf(server.name !== 'embedded PostgreSQL')(
      'gives the service no way to change it (TEST_DATABASE_URL connects as a superuser)',
      async () => {
        await ledger.fill(3);
        const [month] = await listMonths(ledger.db);
        const refused = [
          ...FORBIDDEN,
          `truncate audit.entries_${month?.replace('-', '_')}`,
          `alter table audit.entries disable trigger all`,
          `alter table audit.entries owner to current_user`,
          `drop table audit.seals`,
          `drop schema audit cascade`,
          `create table audit.mine ()`,
          `create or replace function audit.refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
          `select setval('audit.entry_ids', 1)`,
          `select audit.make_month('1999-01-01')`,
          `set role localex_audit`,
          `grant localex_audit to current_user`,
          `set session_replication_role = replica`,
        ];
        for (const statement of refused)
          await expect(sql.raw(statement).execute(ledger.db), statement).rejects.toMatchObject({
            code: '42501',
          });
      },
    );

    test('goes on as before: entries, seals, anchors, months', async () => {
      await ledger.fill(3);
      await anchorHead(ledger);
      await ledger.fill(3);
      await keepMonths(ledger, NOW, 13);
      expect(await verifyLedger(ledger, { from: 'start' })).toMatchObject({ ok: true, checked: 6 });
    });

    test('is said to be guarded only when it is', async () => {
      const expected = server.name === 'embedded PostgreSQL' ? null : 'the service connects as a superuser';
      expect(await ledgerWeakness(ledger.db)).toBe(expected);
    });
  });

  test.skipIf(server.name !== 'embedded PostgreSQL')(
    'is said to be unguarded while the service owns it',
    async () => {
      expect(await ledgerWeakness(ledger.db)).toMatch(/owns the ledger/);
    },
  );

  test('the guide has the statements that give it an owner', async () => {
    const guide = await readFile('docs/storage/operational-guide.md', 'utf8');
    for (const statement of ownerStatements('localex')) expect(guide).toContain(statement);
  });

  describe('months', () => {
    const write = async (at: Date, action = 'document.read') =>
      asSuperuser(
        ledger.database,
        `with e as (insert into audit.entries (at, user_id, action) values ('${at.toISOString()}', 'user-1', '${action}') returning id, at)
         insert into audit.unsealed select id, at from e`,
      );
    const ago = (months: number, day = 15) =>
      new Date(Date.UTC(NOW.getUTCFullYear(), NOW.getUTCMonth() - months, day));
    const nameOf = (months: number) => ago(months).toISOString().slice(0, 7);
    const make = (months: number) =>
      asSuperuser(ledger.database, `select audit.make_month('${nameOf(months)}-01')`);
    const verify = () => verifyLedger(ledger, { from: 'start' });

    beforeEach(async () => {
      for (const months of [16, 15, 14]) await make(months);
      for (const months of [16, 16, 15]) await write(ago(months));
      await sealEntries(ledger.db, 100);
      // At the turn of the month: one of 15 months ago commits after one of 14 months ago.
      await write(ago(14, 1));
      await sealEntries(ledger.db, 100);
      await write(new Date(ago(14, 1).getTime() - 1000), 'late');
      await sealEntries(ledger.db, 100);
      await write(ago(14));
      await sealEntries(ledger.db, 100);
    });

    test('are made ahead, each once', async () => {
      await keepMonths(ledger, NOW, 120);
      await Promise.all([keepMonths(ledger, NOW, 120), keepMonths(ledger, NOW, 120)]);
      const months = await listMonths(ledger.db);
      expect(months.slice(-4)).toEqual([nameOf(0), nameOf(-1), nameOf(-2), nameOf(-3)]);
      expect(new Set(months).size).toBe(months.length);
    });

    test('are dropped when their time is over, with an anchor in their place, and the chain holds', async () => {
      await ledger.fill(5);
      expect(await verify()).toMatchObject({ ok: true, checked: 11 });
      expect(await keepMonths(ledger, NOW, 14)).toEqual([nameOf(16), nameOf(15)]);
      expect(await listMonths(ledger.db)).not.toContain(nameOf(15));
      expect(await verify()).toMatchObject({ ok: true, from: { seq: 3 }, checked: 8 });
      const seals = await ledger.db.selectFrom('audit.seals').select('seq').orderBy('seq').execute();
      expect(seals[0]?.seq).toBe(4);
      // What came late stays in the chain by its hash.
      await asSuperuser(
        ledger.database,
        `update audit.seals set hash = decode(repeat('00', 32), 'hex') where seq = 5`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'changed', seq: 5 } });
    });

    test('all of them may be dropped, and the chain goes on where it ended', async () => {
      expect(await keepMonths(ledger, NOW, 13)).toEqual([nameOf(16), nameOf(15), nameOf(14)]);
      expect(await ledger.db.selectFrom('audit.seals').selectAll().execute()).toEqual([]);
      expect(await verify()).toMatchObject({ ok: true, checked: 0, from: { seq: 6 } });
      await ledger.fill(2);
      expect(await verify()).toMatchObject({ ok: true, from: { seq: 6 }, to: { seq: 8 } });
    });

    test('that are damaged stay', async () => {
      await asSuperuser(
        ledger.database,
        `update audit.entries set user_id = 'x' where id = (select entry_id from audit.seals where seq = 2)`,
      );
      expect(await keepMonths(ledger, NOW, 14)).toEqual([]);
      expect(ledger.lines).toContainEqual(
        expect.objectContaining({ level: 'error', message: 'audit entries are damaged and are not dropped' }),
      );
      expect(await listMonths(ledger.db)).toContain(nameOf(16));
    });

    test('are not dropped by the database itself without an anchor, unsealed, or within a year', async () => {
      const drop = (months: number) =>
        sql`select audit.drop_month(${`${nameOf(months)}-01`}::date)`.execute(ledger.db);
      await expect(drop(16)).rejects.toThrow(/have no anchor/);
      await expect(drop(3)).rejects.toThrow(/kept for a year/);
      await sql`insert into audit.anchors (key, kind, seq, hash, month)
        values ('x', 'drop', 3, decode(repeat('00', 32), 'hex'), ${`${nameOf(16)}-01`}::date)`.execute(
        ledger.db,
      );
      await write(ago(16));
      await expect(drop(16)).rejects.toThrow(/sealed and in their month/);
    });

    test('a forged anchor in the database alone does not hide what was removed', async () => {
      await asSuperuser(
        ledger.database,
        `delete from audit.entries where id in (select entry_id from audit.seals where seq <= 2)`,
        `delete from audit.seals where seq <= 2`,
        `insert into audit.anchors (key, kind, seq, hash, month)
           select 'audit/drops/forged', 'drop', 2, decode(repeat('00', 32), 'hex'), '${nameOf(16)}-01'`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'removed', seq: 1 } });
    });

    test('an entry without a month of its own is kept, sealed and verified all the same', async () => {
      await write(ago(40));
      await sealEntries(ledger.db, 10);
      expect(await verify()).toMatchObject({ ok: true, checked: 7 });
      await expect(keepMonths(ledger, NOW, 14)).rejects.toThrow(/sealed and in their month/);
    });
  });

  test('an entry of a file that does not exist, and of a long text, is written as it is', async () => {
    await recordAccess(ledger.db, {
      userId: 'ü'.repeat(64),
      action: 'photo.takedown',
      fileId: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
      details: { reason: '👾\u0000'.repeat(1000), lone: '\ud800' },
    });
    await sealEntries(ledger.db, 10);
    expect(await verifyLedger(ledger, { from: 'start' })).toMatchObject({ ok: true, checked: 1 });
  });
});
