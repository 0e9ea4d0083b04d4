import { type QueryExecutorProvider, sql } from 'kysely';
import { StorageError } from '#src/domain/errors.ts';
import type { PhotoDocument } from '#src/domain/photo-document.ts';
import type { IndexEntry, PhotoHit, PhotoIndex } from '#src/ports/search.ts';
import { looseTerms, tsquery } from './postgres/words.ts';
import { conditions, rowOf } from './postgres/rows.ts';
import {
  ALIAS,
  firstIndex,
  isIndexName,
  newIndex,
  switchView,
  TABLE_PREFIX,
  vocabularyOf,
} from './postgres/tables.ts';

/** Of those that match a text the newest so many are ranked: a common word costs no more than a rare one. */
const RANKED = 400;
/**
 * Statements that begin so are not kept prepared: a plan for any words gathers all photos that have them, where the newest
 * few would do for a frequent one.
 */
const PLANNED_EACH_TIME = sql.raw('/* planned by what is asked */');

/**
 * The search index in PostgreSQL: a table of documents with their words (tsvector) and tags under one GIN index, a view in
 * front of the current table, and beside it a list of all words, in which trigrams find those that were meant.
 */
export function createPostgresPhotoIndex({ db }: { readonly db: QueryExecutorProvider }): PhotoIndex {
  const run = async <T>(query: ReturnType<typeof sql<T>>): Promise<readonly T[]> => {
    try {
      return (await query.execute(db)).rows;
    } catch (error) {
      throw hasCode(error, UNDEFINED_TABLE)
        ? new StorageError('NOT_FOUND', 'There is no such search index.')
        : error;
    }
  };
  const current = async (): Promise<string | null> => {
    const [row] = await run(sql<{ name: string | null }>`
      select obj_description(c.oid, 'pg_class') as name from pg_class c
      where c.relname = ${ALIAS} and c.relkind = 'v' and c.relnamespace = current_schema()::regnamespace`);
    return row?.name ?? null;
  };
  const table = (index: string) => {
    if (!isIndexName(index)) throw new StorageError('NOT_FOUND', 'There is no such search index.');
    return sql.table(index);
  };

  return {
    name: 'postgres',

    async prepare() {
      if ((await current()) !== null) return 'found';
      try {
        await sql.raw(firstIndex()).execute(db);
        return 'made';
      } catch (error) {
        if (!hasCode(error, DUPLICATE_TABLE)) throw error;
        // Another process was first, or there is something that is not ours.
        if ((await current()) !== null) return 'found';
        throw new StorageError(
          'INVALID_CONFIGURATION',
          `The database of DATABASE_URL has a relation ${ALIAS} that was not made by this service. Rename it, or give the service a database of its own.`,
        );
      }
    },

    async search(query) {
      const where = conditions(query);
      if (query.words === null)
        return run(sql<PhotoHit>`
          ${PLANNED_EACH_TIME} select id, null as score from ${sql.table(ALIAS)} where ${where}
            ${query.after === null ? sql`` : sql`and id < ${query.after.id}::uuid`}
          order by id desc limit ${query.limit}`);
      const index = query.isLoose ? await current() : null;
      const terms = index === null ? tsquery(query.words) : await looseTerms(db, index, query.words);
      if (terms === null) return [];
      // Written out, not from a CTE: the planner has to see how frequent the words are.
      const asked = sql`to_tsquery('english', ${terms})`;
      const after =
        query.after === null
          ? sql``
          : sql`where (score, id) < (${query.after.score}, ${query.after.id}::uuid)`;
      return run(sql<PhotoHit>`
        ${PLANNED_EACH_TIME} with found as materialized (
          select id, words from ${sql.table(ALIAS)} where words @@ ${asked} and ${where}
          order by id desc limit ${RANKED}),
        ranked as (select id, ts_rank(words, ${asked})::float8 as score from found)
        select id, score from ranked ${after} order by score desc, id desc limit ${query.limit}`);
    },

    async indexes() {
      const first = await current();
      const rows = await run(sql<{ name: string }>`
        select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
          and relname ^@ ${TABLE_PREFIX} order by relname`);
      return rows
        .map(({ name }) => name)
        .filter(isIndexName)
        .toSorted((a, b) => Number(b === first) - Number(a === first));
    },

    async create(suffix) {
      const index = `${TABLE_PREFIX}${suffix}`;
      table(index);
      await sql.raw(newIndex(suffix)).execute(db);
      return index;
    },

    async makeCurrent(index) {
      table(index);
      // Searches plan by what the planner knows of the table.
      await sql`analyze ${sql.table(index)}`.execute(db);
      await run(sql`${sql.raw(switchView(index))}`);
    },

    async remove(index) {
      if ((await current()) === index)
        throw new StorageError('CONFLICT', 'The current search index is not removed.');
      await sql`drop table if exists ${table(index)}, ${sql.table(vocabularyOf(index))}`.execute(db);
    },

    async write(index, entries) {
      const written = await run(insert(table(index), vocabularyOf(index), entries));
      return { outdated: entries.length - written.length, refused: [] };
    },

    async refresh() {},

    async list(index, { after, limit }) {
      const rows = await run(sql<{ document: PhotoDocument }>`
        select document from ${table(index)} where document is not null
          ${after === null ? sql`` : sql`and id > ${after}::uuid`} order by id limit ${limit}`);
      return rows.map(({ document }) => document);
    },

    async get(index, ids) {
      const rows = await run(sql<{ document: PhotoDocument }>`
        select document from ${table(index)} where document is not null and id = any(${sql.val([...ids])}::uuid[])`);
      return rows.map(({ document }) => document);
    },

    async count(index) {
      const [row] = await run(
        sql<{ count: number }>`select count(*) from ${table(index)} where document is not null`,
      );
      return row?.count ?? 0;
    },

    async highestVersion() {
      const highest = await Promise.all(
        (await this.indexes()).map(async (index) => {
          const [row] = await run(sql<{ version: number | null }>`
            select max(version) as version from ${table(index)}`);
          return row?.version ?? 0;
        }),
      );
      return Math.max(0, ...highest);
    },

    async ping() {
      await sql`select 1`.execute(db);
    },

    async close() {},
  };
}

/** Resolves to the rows that were written; those with a lower version than what is there are not. */
function insert(table: ReturnType<typeof sql.table>, vocabulary: string, entries: readonly IndexEntry[]) {
  return sql<{ id: string }>`
    with given as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(entries.map(rowOf))}::jsonb) as g (
        id uuid, version bigint, document jsonb, title text, alt text, labels text, category text, tags text[])),
    spelled as (
      insert into ${sql.table(vocabulary)} (word)
        select distinct word from given, unnest(string_to_array(concat_ws(' ', title, alt, labels, category), ' ')) word
        where length(word) > 2 order by word
      on conflict do nothing)
    insert into ${table} as present (id, version, document, words, tags, owner_id, item_id, width, height, quality)
      select id, version, document,
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', alt), 'B')
          || setweight(to_tsvector('english', category), 'B') || setweight(to_tsvector('english', labels), 'C'),
        tags, document ->> 'ownerId', document ->> 'itemId', (document ->> 'width')::integer, (document ->> 'height')::integer, (document ->> 'quality')::integer
      from given order by id
    on conflict (id) do update set version = excluded.version, document = excluded.document, words = excluded.words,
        tags = excluded.tags, owner_id = excluded.owner_id, item_id = excluded.item_id, width = excluded.width, height = excluded.height, quality = excluded.quality
      where present.version <= excluded.version
    returning id`;
}

/** SQLSTATE (PostgreSQL manual, appendix A). */
const UNDEFINED_TABLE = '42P01';
const DUPLICATE_TABLE = '42P07';

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
