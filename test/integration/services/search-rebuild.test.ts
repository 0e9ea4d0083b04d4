import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresPhotoIndex } from '#src/adapters/search/postgres.ts';
import { transition } from '#src/db/files.ts';
import { updateItem } from '#src/db/items.ts';
import { nextSearchVersion, raiseSearchVersions, waitingChanges } from '#src/db/search-outbox.ts';
import { StorageError } from '#src/domain/errors.ts';
import type { RunAction } from '#src/domain/runs.ts';
import { fillWhenEmpty, rebuildSearch } from '#src/jobs/rebuild-search.ts';
import type { RunContext } from '#src/jobs/runner.ts';
import type { PhotoIndex } from '#src/ports/search.ts';
import { createRunsService } from '#src/services/runs.service.ts';
import { type FeedDeps, feedSearch } from '#src/services/search/feed.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { newPrefix, NO_OPENSEARCH, opensearchAt, removeIndexes } from '#test/support/opensearch.ts';
import { askedBy } from '#test/support/photo-documents.ts';
import { readyPhotos } from '#test/support/photo-rows.ts';
import { recordingLog } from '#test/support/recording-log.ts';

const prefix = newPrefix();
const ENGINES: readonly {
  name: string;
  missing: string | undefined;
  open: (database: TestDatabase) => PhotoIndex;
}[] = [
  { name: 'PostgreSQL', missing: undefined, open: ({ db }) => createPostgresPhotoIndex({ db }) },
  { name: 'OpenSearch', missing: NO_OPENSEARCH, open: () => opensearchAt(prefix) },
];

describe.each(ENGINES)('the index is made anew on $name', ({ name, missing, open }) => {
  const title = missing === undefined ? '' : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`from rows${title}`, () => {
    let database: TestDatabase;
    let deps: FeedDeps;
    let ids: string[];
    let runs = 0;

    beforeAll(async () => {
      database = await createTestDatabase();
      deps = { db: database.db, index: open(database), readColors: () => ['red'], log: recordingLog() };
      await deps.index.prepare();
      ids = await readyPhotos(database.db, `item-${name}`, 12);
    });
    afterAll(async () => {
      await deps.index.close();
      await database.close();
      if (name === 'OpenSearch') await removeIndexes(prefix);
    });

    /** One beginning of a run; `at` is called at each checkpoint with what it keeps. */
    async function begin(
      at: (cursor: RunContext['cursor']) => Promise<void> = async () => {},
      {
        cursor = null,
        dryRun = false,
        id = `00000000-0000-7000-8000-${String((runs += 1)).padStart(12, '0')}`,
      }: {
        cursor?: RunContext['cursor'];
        dryRun?: boolean;
        id?: string;
      } = {},
    ) {
      const actions: RunAction[] = [];
      const result = await rebuildSearch(deps, { page: 5, settleMs: 20 })({
        run: { id, kind: 'search-rebuild', requestedBy: 'admin-1' },
        params: {},
        dryRun,
        cursor,
        signal: new AbortController().signal,
        async checkpoint(place, _progress, more = []) {
          actions.push(...more);
          await at(structuredClone(place));
        },
      });
      return { result, actions };
    }
    const feedAll = async () => {
      while ((await feedSearch(deps)) > 0);
    };
    const found = async (words: string) => {
      const [current = ''] = await deps.index.indexes();
      await deps.index.refresh(current);
      return (await deps.index.search(askedBy({ words, limit: 100 }))).map((hit) => hit.id);
    };

    test('when it is new and there are photos, by a run that is asked for once', async () => {
      const service = createRunsService(database);
      await fillWhenEmpty({ ...deps, runs: service });
      await fillWhenEmpty({ ...deps, runs: service });
      const asked = await database.db.selectFrom('runs').select(['kind', 'requested_by']).execute();
      expect(asked).toEqual([{ kind: 'search-rebuild', requested_by: 'schedule' }]);
    });

    test('a dry run names what is missing, wrong or too much, and changes nothing', async () => {
      await database.db.deleteFrom('search_outbox').execute();
      const [current = ''] = await deps.index.indexes();
      const version = await nextSearchVersion(database.db);
      await begin();
      const [index = ''] = await deps.index.indexes();
      expect(index).not.toBe(current);
      const [first = '', second = '', third = ''] = ids;
      const [document] = await deps.index.get(index, [first]);
      if (document === undefined) throw new Error('Expected a document');
      const later = version + 1_000;
      await raiseSearchVersions(database.db, later);
      const surplus = '019a8c6e-0000-7000-8000-000000000000';
      await deps.index.write(index, [
        { id: first, version: later, document: { ...document, title: 'wrong' } },
        { id: second, version: later, document: null },
        { id: surplus, version: later, document: { ...document, id: surplus } },
      ]);
      await deps.index.refresh(index);
      const { actions, result } = await begin(undefined, { dryRun: true });
      expect(actions.toSorted((a, b) => (a.subject < b.subject ? -1 : 1))).toEqual([
        { action: 'surplus', subject: surplus },
        { action: 'differs', subject: first },
        { action: 'missing', subject: second },
      ]);
      expect(result).toMatchObject({ different: 3, documents: ids.length - 2 });
      expect(await deps.index.indexes()).toEqual([index]);
      expect(third).not.toBe('');
    }, 30_000);

    test('while photos change: what changes during each step is in the new index, and in the old one until then', async () => {
      await feedAll();
      const before = await deps.index.indexes();
      let step = 0;
      let meanwhile: readonly string[] = [];
      const { result } = await begin(async () => {
        step += 1;
        const victim = ids[step] ?? '';
        if (step % 2 === 0) await transition(database.db, { id: victim, from: 'ready' }, 'taken_down');
        await updateItem(database.db, `item-${name}`, { title: `Changed ${step}` });
        if (step !== 4) await feedAll();
        if (step === 3) meanwhile = await found('changed 3');
      });
      expect(step).toBeGreaterThan(5);
      expect(meanwhile, 'the old index answers, and is fed').not.toEqual([]);
      expect(result).toMatchObject({ different: 0 });
      expect(await deps.index.indexes()).not.toContain(before[0]);
      await feedAll();
      const { result: compared, actions } = await begin(undefined, { dryRun: true });
      expect({ compared, actions }).toMatchObject({ compared: { different: 0, documents: 12 }, actions: [] });
      expect((await waitingChanges(database.db)).waiting).toBe(0);
    }, 30_000);

    test('a run that dies at any checkpoint goes on there, and leaves one index', async () => {
      const { result: expected } = await begin(undefined, { dryRun: true });
      let kept: RunContext['cursor'] = null;
      const id = '00000000-0000-7000-8000-00000000dead';
      for (let deaths = 0; ; deaths += 1) {
        let seen = 0;
        const died = await begin(
          async (cursor) => {
            kept = cursor;
            seen += 1;
            if (seen === 2) throw new StorageError('ABORTED');
          },
          { cursor: kept, id },
        ).catch(() => null);
        if (died === null) continue;
        expect(deaths).toBeGreaterThan(1);
        expect(died.result).toMatchObject({
          hash: Reflect.get(expected, 'hash'),
          documents: 12,
          different: 0,
        });
        break;
      }
      expect(await deps.index.indexes()).toHaveLength(1);
    }, 30_000);

    test('versions go on above those of the index when the database was put back', async () => {
      const highest = await deps.index.highestVersion();
      expect(highest).toBeGreaterThan(0);
      await raiseSearchVersions(database.db, highest + 50);
      expect(await nextSearchVersion(database.db)).toBeGreaterThan(highest + 50);
      await raiseSearchVersions(database.db, 1);
      expect(await nextSearchVersion(database.db)).toBeGreaterThan(highest + 50);
    });
  });
});
