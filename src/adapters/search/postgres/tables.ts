/** Of the tables' shape: another one gets another name, so that an older version of the service keeps its own. */
const SHAPE = 'v1';

/** The view in front of the current table, whose name is its comment. */
export const ALIAS = `photo_index_${SHAPE}`;
/** What the names of tables of documents begin with. */
export const TABLE_PREFIX = `${ALIAS}_`;

/** Whether it can be the name of one of our tables. Only such names get into statements. */
export function isIndexName(name: string): boolean {
  return name.startsWith(TABLE_PREFIX) && /^[a-z0-9]{1,32}$/.test(name.slice(TABLE_PREFIX.length));
}

/** All words of an index, one row each. */
export function vocabularyOf(index: string): string {
  return `photo_words_${SHAPE}_${index.slice(TABLE_PREFIX.length)}`;
}

/** Statements that make an empty index, if there is none of that name; two who do so take turns. */
export function newIndex(suffix: string): string {
  const table = `${TABLE_PREFIX}${suffix}`;
  const words = vocabularyOf(table);
  return `
    select pg_advisory_xact_lock(hashtextextended('${ALIAS}', 0));
    create table if not exists ${table} (
      id uuid primary key,
      version bigint not null,
      document jsonb,
      words tsvector,
      tags text[],
      owner_id text,
      item_id text,
      width integer,
      height integer,
      quality integer
    );
    create index if not exists ${table}_words on ${table} using gin (words, tags) with (fastupdate = off);
    create index if not exists ${table}_of_owner on ${table} (owner_id, id);
    create index if not exists ${table}_of_item on ${table} (item_id, id);
    create table if not exists ${words} (word text primary key);
    create index if not exists ${words}_trigrams on ${words} using gin (word gin_trgm_ops)`;
}

/** Statements that make the first index and the view; 42P07 (duplicate table) when there is a view already. */
export function firstIndex(): string {
  return `${newIndex('first')}; ${view('create', `${TABLE_PREFIX}first`)}`;
}

/** Statements that put the view in front of another table, at once for everybody. */
export function switchView(table: string): string {
  return view('create or replace', table);
}

function view(create: string, table: string): string {
  return `
    ${create} view ${ALIAS} as select * from ${table};
    comment on view ${ALIAS} is '${table}'`;
}
