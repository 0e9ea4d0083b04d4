import fc from 'fast-check';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordAccess } from '#src/db/access-log.ts';
import { listLinks } from '#src/db/audit/chain.ts';
import { chainHash } from '#src/domain/audit-chain.ts';
import { anchorHead } from '#src/services/audit/anchors.ts';
import { verifyLedger } from '#src/services/audit/verify.ts';
import { databaseServers } from '#test/support/database.ts';
import { asSuperuser } from '#test/support/superuser.ts';
import { type Ledger, openLedger } from './ledger.ts';

describe.each(databaseServers())('tampering on $name', (server) => {
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

  describe('names the first bad row when a superuser', () => {
    beforeEach(() => ledger.fill(30));

    test.each([
      ['edits who', `update audit.entries set user_id = 'somebody-else' where id = $`],
      ['edits what', `update audit.entries set action = 'photo.view' where id = $`],
      ['edits which file', `update audit.entries set file_id = null where id = $`],
      [
        'edits the details by a space',
        `update audit.entries set details = (details::text || ' ')::json where id = $`,
      ],
      [
        'edits when it was sealed',
        `update audit.seals set sealed_at = sealed_at + interval '1 ms' where entry_id = $`,
      ],
      ['edits the hash', `update audit.seals set hash = decode(repeat('00', 32), 'hex') where entry_id = $`],
    ])('%s', async (_, statement) => {
      const id = await entryOf(17);
      await tamper(statement.replace('$', String(id)));
      expect(await verify()).toMatchObject({
        ok: false,
        problem: { damage: 'changed', seq: 17, entryId: id },
        to: { seq: 16 },
      });
    });

    test('moves a row by a microsecond in time', async () => {
      const id = await entryOf(4);
      await tamper(`update audit.entries set at = at + interval '1 microsecond' where id = ${id}`);
      expect(await verify()).toMatchObject({ problem: { damage: 'removed', seq: 4, entryId: id } });
      await tamper(
        `update audit.seals set entry_at = entry_at + interval '1 microsecond' where entry_id = ${id}`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'changed', seq: 4, entryId: id } });
    });

    test('removes a row', async () => {
      const id = await entryOf(9);
      await tamper(`delete from audit.entries where id = ${id}`);
      expect(await verify()).toMatchObject({ problem: { damage: 'removed', seq: 9, entryId: id } });
    });

    test('removes a row with its seal', async () => {
      const id = await entryOf(9);
      await tamper(
        `delete from audit.entries where id = ${id}`,
        `delete from audit.seals where entry_id = ${id}`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'removed', seq: 9 } });
    });

    test('removes a row with its seal and closes the gap', async () => {
      const id = await entryOf(9);
      await tamper(
        `delete from audit.entries where id = ${id}`,
        `delete from audit.seals where entry_id = ${id}`,
        `update audit.seals set seq = seq + 1000 where seq > 9`,
        `update audit.seals set seq = seq - 1001 where seq > 1000`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'changed', seq: 9 } });
    });

    test('swaps the content of two rows', async () => {
      const [one, two] = [await entryOf(11), await entryOf(23)];
      await tamper(
        `update audit.entries e set user_id = o.user_id, file_id = o.file_id, details = o.details
         from audit.entries o where (e.id, o.id) in ((${one}, ${two}), (${two}, ${one}))`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'changed', seq: 11, entryId: one } });
    });

    test('swaps the places of two rows', async () => {
      const [one, two] = [await entryOf(11), await entryOf(12)];
      await tamper(
        `update audit.seals set seq = 1000 where entry_id = ${one}`,
        `update audit.seals set seq = 11 where entry_id = ${two}`,
        `update audit.seals set seq = 12 where entry_id = ${one}`,
      );
      expect(await verify()).toMatchObject({ problem: { damage: 'changed', seq: 11, entryId: two } });
    });

    test('puts a row in that nobody wrote', async () => {
      await tamper(`insert into audit.entries (user_id, action) values ('nobody', 'document.read')`);
      expect(await verify()).toMatchObject({ problem: { damage: 'added', seq: null } });
    });

    test('removes a row before it was sealed', async () => {
      await recordAccess(ledger.db, { userId: 'user-1', action: 'document.read', fileId: null });
      await tamper(
        `delete from audit.entries where action = 'document.read' and id not in (select entry_id from audit.seals)`,
      );
      // Others are sealed all the same.
      await ledger.fill(3);
      expect(await verify()).toMatchObject({ checked: 33, problem: { damage: 'removed', seq: null } });
    });

    test('cuts the tail off that was anchored', async () => {
      await anchorHead(ledger);
      await tamper(
        `delete from audit.entries where id in (select entry_id from audit.seals where seq > 25)`,
        `delete from audit.seals where seq > 25`,
        `delete from audit.anchors`,
      );
      for (const from of ['start', 'last_anchor'] as const)
        expect(await verifyLedger(ledger, { from })).toMatchObject({ ok: false });
      expect(await verify()).toMatchObject({ problem: { damage: 'truncated', seq: 26 } });
      // Also when the chain grows over it again.
      await ledger.fill(20);
      expect(await verify()).toMatchObject({ ok: false, problem: { damage: 'rewritten' } });
    });

    test('writes the whole chain anew from a changed row on', async () => {
      await anchorHead(ledger);
      await ledger.fill(10);
      await anchorHead(ledger);
      const id = await entryOf(33);
      await tamper(`update audit.entries set user_id = 'somebody-else' where id = ${id}`);
      await rewriteFrom(33);
      expect(await verify()).toMatchObject({ problem: { damage: 'rewritten', seq: 31 }, to: { seq: 39 } });
      expect(await verify('last_anchor')).toMatchObject({ problem: { damage: 'rewritten', seq: 40 } });
    });

    async function rewriteFrom(seq: number): Promise<void> {
      const links = await listLinks(ledger.db, 0, 1000);
      let hash: Uint8Array = links[seq - 2]?.hash ?? Buffer.alloc(0);
      for (const link of links.slice(seq - 1)) {
        if (link.entry === null) throw new Error('Expected an entry');
        hash = chainHash(hash, link.entry);
        await tamper(
          `update audit.seals set hash = decode('${Buffer.from(hash).toString('hex')}', 'hex') where seq = ${link.seq}`,
        );
      }
    }
  });

  test('whatever a superuser does to the rows, it is seen, and at the first row it touched', async () => {
    await ledger.fill(60);
    await anchorHead(ledger);
    await ledger.db.executeQuery(
      sql`create table audit_copy_entries as table audit.entries`.compile(ledger.db),
    );
    await ledger.db.executeQuery(sql`create table audit_copy_seals as table audit.seals`.compile(ledger.db));
    const restore = () =>
      tamper(
        'delete from audit.entries',
        'insert into audit.entries select * from audit_copy_entries',
        'delete from audit.seals',
        'insert into audit.seals select * from audit_copy_seals',
      );
    const seq = fc.integer({ min: 1, max: 60 });
    const of = (place: number) => `(select entry_id from audit_copy_seals where seq = ${place})`;
    const edit = fc.tuple(seq, fc.constantFrom('user_id', 'action')).map(([place, column]) => ({
      first: place,
      statements: [`update audit.entries set ${column} = ${column} || '.' where id = ${of(place)}`],
    }));
    const remove = seq.map((place) => ({
      first: place,
      statements: [`delete from audit.entries where id = ${of(place)}`],
    }));
    const unseal = seq.map((place) => ({
      first: place,
      statements: [`delete from audit.seals where seq = ${place}`],
    }));
    const swap = fc.uniqueArray(seq, { minLength: 2, maxLength: 2 }).map(([one = 1, two = 2]) => ({
      first: Math.min(one, two),
      statements: [
        `update audit.entries e set file_id = o.file_id, details = o.details from audit.entries o
           where (e.id, o.id) in ((${of(one)}, ${of(two)}), (${of(two)}, ${of(one)}))`,
      ],
    }));
    const acts = fc.array(fc.oneof(edit, remove, unseal, swap), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(acts, async (chosen) => {
        await tamper(...chosen.flatMap(({ statements }) => statements));
        const before = await ledger.db.selectFrom('audit.entries').selectAll().execute();
        const verdict = await verify();
        await restore();
        // Two swaps of the same rows undo each other: then there is nothing to be seen.
        const unchanged = await ledger.db.selectFrom('audit.entries').selectAll().execute();
        const isUndone =
          chosen.every(({ statements }) => statements[0]?.includes('file_id') === true) &&
          JSON.stringify(sorted(before)) === JSON.stringify(sorted(unchanged));
        expect(verdict.ok).toBe(isUndone);
        expect(isUndone || (verdict.problem?.seq ?? 0) >= Math.min(...chosen.map(({ first }) => first))).toBe(
          true,
        );
      }),
      { numRuns: 40 },
    );
    expect(await verify()).toMatchObject({ ok: true });
  });
});

function sorted<T extends { readonly id: number }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => a.id - b.id);
}
