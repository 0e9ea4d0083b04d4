import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transition } from '#src/db/files.ts';
import { up } from '#src/db/migrations/0013-review-cases.ts';
import { insertAppeal, insertDecision } from '#src/db/review.ts';
import { addFindings, closeCase, listFindings, openCase } from '#src/db/review-cases.ts';
import { listOpenCases } from '#src/db/review-queue.ts';
import type { FileState } from '#src/domain/file-state.ts';
import type { Finding } from '#src/domain/finding.ts';
import { CASE_PRIORITY } from '#src/domain/review-case.ts';
import { insertBareFile } from '#test/support/bare-file.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

const LABEL: Finding = {
  source: 'moderation',
  label: 'sexy',
  confidence: 0.7,
  region: { left: 0.1, top: 0.2, width: 0.3, height: 0.4 },
  model: 'nsfw',
  version: '1',
  details: { threshold: 0.5 },
};

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database.close());

  async function fileIn(...way: readonly FileState[]): Promise<string> {
    const { id } = await insertBareFile(database.db);
    await go(id, 'pending', ...way);
    return id;
  }
  async function go(id: string, ...way: readonly FileState[]): Promise<void> {
    for (const [index, to] of way.slice(1).entries())
      await transition(database.db, { id, from: way[index] ?? 'pending' }, to);
  }
  const casesOf = (id: string) =>
    database.db
      .selectFrom('review_cases')
      .select(['id', 'source', 'priority', 'not_by', 'outcome'])
      .where('file_id', '=', id)
      .orderBy('id')
      .execute();
  const decide = (id: string, decision: 'reject' | 'takedown') =>
    insertDecision(database.db, { fileId: id, moderatorId: 'one', decision, reason: 'No.' });

  test('who enters review gets a case, and leaving it closes it, whoever makes the change', async () => {
    const ways = [
      ['published', 'approve'],
      ['rejected', 'reject'],
      ['deleting', 'withdrawn'],
    ] as const;
    for (const [to, outcome] of ways) {
      const id = await fileIn('received', 'checking', 'in_review');
      expect(await casesOf(id)).toMatchObject([{ source: 'unchecked', priority: 0, outcome: null }]);
      await go(id, 'in_review', to);
      expect(await casesOf(id)).toMatchObject([{ outcome }]);
    }
  });

  test('an appeal is urgent, not for the person who decided, and ends with the decision', async () => {
    const id = await fileIn('received', 'checking', 'in_review');
    await decide(id, 'reject');
    await go(id, 'in_review', 'rejected');
    await insertAppeal(database.db, { fileId: id, userId: 'seller', message: 'Please.' });
    await go(id, 'rejected', 'in_review');
    expect((await casesOf(id)).at(-1)).toMatchObject({ source: 'appeal', priority: 6, not_by: ['one'] });
    await go(id, 'in_review', 'published');
    const appeals = await database.db.selectFrom('appeals').selectAll().where('file_id', '=', id).execute();
    expect(appeals).toMatchObject([{ outcome: 'upheld', decided_at: expect.any(Date) }]);
  });

  test('a photo that only its fingerprint speaks against waits for that', async () => {
    const found: Finding = { ...LABEL, source: 'fingerprint', label: 'same_photo_elsewhere' };
    for (const [verdict, findings, source] of [
      ['publish', [found], 'fingerprint'],
      ['review', [found, LABEL], 'moderation'],
      ['publish', [], 'moderation'],
    ] as const) {
      const id = await fileIn('received', 'checking');
      await addFindings(database.db, id, findings);
      await sql`update files set moderation = jsonb_build_object('verdict', ${verdict}::text) where id = ${id}`.execute(
        database.db,
      );
      await go(id, 'checking', 'in_review');
      expect(await casesOf(id)).toMatchObject([{ source }]);
    }
  });

  test('a second look that finds nothing stays one, whoever decided before, and no appeal is made of it', async () => {
    const id = await fileIn('received', 'checking', 'published');
    await decide(id, 'takedown');
    await go(id, 'published', 'taken_down');
    await openCase(database.db, id, {
      source: 'second_look',
      priority: CASE_PRIORITY.second_look,
      notBy: 'two',
    });
    await go(id, 'taken_down', 'in_review', 'published');
    expect(await casesOf(id)).toMatchObject([
      { source: 'second_look', priority: CASE_PRIORITY.second_look, not_by: ['two'], outcome: 'approve' },
    ]);
  });

  test('a public photo keeps its one open case until it is closed, or the photo goes', async () => {
    const id = await fileIn('received', 'checking', 'published');
    const first = await openCase(database.db, id, { source: 'report', priority: CASE_PRIORITY.report });
    expect(await openCase(database.db, id, { source: 'contact', priority: 0 })).toBe(first);
    expect(await openCase(database.db, id, { source: 'report', priority: 9 })).toBe(first);
    await go(id, 'published', 'ready');
    expect(await casesOf(id)).toMatchObject([{ source: 'report', priority: 9, outcome: null }]);
    await closeCase(database.db, first, 'approve');
    await openCase(database.db, id, { source: 'contact' });
    await go(id, 'ready', 'taken_down');
    expect(await casesOf(id)).toMatchObject([
      { source: 'report', outcome: 'approve' },
      { source: 'contact', outcome: 'takedown' },
    ]);
  });

  test('findings are kept whole, and once however often the work runs', async () => {
    const id = await fileIn('received');
    await addFindings(database.db, id, []);
    await addFindings(database.db, id, [LABEL, { ...LABEL, label: 'porn', region: null, confidence: null }]);
    await addFindings(database.db, id, [LABEL]);
    const found = (await listFindings(database.db, [id])).get(id);
    expect(found).toMatchObject([LABEL, { label: 'porn', region: null, confidence: null }]);
  });

  test('the queue is in order of urgency, then of waiting, page by page', async () => {
    const ids: string[] = [];
    for (const priority of [0, 5, 9, 5, 0]) {
      const id = await fileIn('received', 'checking', 'published');
      await openCase(database.db, id, { source: 'contact', priority });
      ids.push(id);
    }
    const seen: string[] = [];
    for (let after: Parameters<typeof listOpenCases>[1]['after']; ; ) {
      const page = { moderator: 'one', source: 'contact', limit: 2, ...(after && { after }) } as const;
      const [first, second] = await listOpenCases(database.db, page);
      if (first === undefined) break;
      seen.push(...[first, second].flatMap((open) => open?.file_id ?? []));
      const last = second ?? first;
      after = { priority: last.priority, openedAt: last.opened_at, id: last.id };
    }
    expect(seen.map((id) => ids.indexOf(id))).toEqual([2, 1, 3, 0, 4]);
  });

  test('what waited before there were cases gets one, appeals as appeals', async () => {
    const before = await createTestDatabase(server);
    try {
      await withoutCases(before);
      const [fresh, appealed] = [v7(), v7()];
      const becomes = (id: string, state: FileState) =>
        sql`update files set state = ${state} where id = ${id}`.execute(before.db);
      for (const id of [fresh, appealed]) {
        await sql`insert into files (id, kind, owner_id, filename) values (${id}, 'profile_photo', 'seller', 'x')`.execute(
          before.db,
        );
        await becomes(id, 'received');
        await becomes(id, 'checking');
        await becomes(id, 'in_review');
      }
      await sql`insert into review_decisions (file_id, moderator_id, decision, reason) values (${appealed}, 'one', 'reject', 'No.')`.execute(
        before.db,
      );
      await becomes(appealed, 'rejected');
      await sql`insert into appeals (file_id, user_id, message) values (${appealed}, 'seller', 'Please.')`.execute(
        before.db,
      );
      await becomes(appealed, 'in_review');
      await up(before.db);
      const cases = await before.db.selectFrom('review_cases').selectAll().orderBy('priority').execute();
      expect(cases).toMatchObject([
        { file_id: fresh, source: 'unchecked', not_by: [] },
        { file_id: appealed, source: 'appeal', not_by: ['one'] },
      ]);
      const appeals = await before.db.selectFrom('appeals').select('outcome').execute();
      expect(appeals).toEqual([{ outcome: null }]);
    } finally {
      await before.close();
    }
  });
});

/** As the schema was before the migration. */
async function withoutCases({ db }: TestDatabase): Promise<void> {
  for (const statement of [
    'drop trigger files_review on files',
    'drop function keep_review_case()',
    'drop table photo_reports, findings',
    'alter table review_decisions drop column reason_code, drop column case_id',
    'drop index review_decisions_by_time, review_decisions_by_moderator',
    'drop table review_cases',
    'alter table appeals drop column outcome, drop column decided_at',
    'alter table files drop column content_reason',
  ])
    await sql.raw(statement).execute(db);
}
