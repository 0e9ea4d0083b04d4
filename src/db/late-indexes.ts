import { type Kysely, sql } from 'kysely';
import type { Database } from './schema.ts';

/** Any number; the same in every process that makes indexes. */
const LOCK = 7_405_916;

/**
 * Indexes that came to tables which are full by now, by name. A migration runs in a transaction, where an index would keep
 * all writers of its table out until it is made: minutes of a hundred million rows. These are made after the migrations,
 * beside the traffic.
 */
const INDEXES: Readonly<Record<string, string>> = {
  // Documents are one file of a hundred: without it each page of the lifecycle looks through the photos between them.
  files_documents: `files (id) where kind = 'verification_document' and archive = 'none' and state = 'ready'`,
  // Holds of a file that were lifted, too.
  holds_by_file: 'holds (file_id, id)',
};

/**
 * Makes those that are missing, and those again that were left half made by a process that died. One process does it; the
 * others go on without waiting. Resolves to the names of those that were made.
 */
export async function makeLateIndexes(db: Database): Promise<readonly string[]> {
  return db.connection().execute(async (connection) => {
    const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_lock(${LOCK}) as taken`.execute(
      connection,
    );
    if (rows[0]?.taken !== true) return [];
    try {
      const missing = await listMissing(connection);
      for (const name of missing) await make(connection, name);
      return missing;
    } finally {
      await sql`select pg_advisory_unlock(${LOCK})`.execute(connection);
    }
  });
}

async function listMissing<T>(db: Kysely<T>): Promise<readonly string[]> {
  const names = Object.keys(INDEXES);
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indisvalid and c.relnamespace = 'public'::regnamespace and c.relname = any(${names})
  `.execute(db);
  return names.filter((name) => !rows.some((row) => row.name === name));
}

async function make<T>(db: Kysely<T>, name: string): Promise<void> {
  await sql`set statement_timeout = 0`.execute(db);
  try {
    await sql`drop index concurrently if exists ${sql.ref(name)}`.execute(db);
    await sql`create index concurrently ${sql.ref(name)} on ${sql.raw(INDEXES[name] ?? '')}`.execute(db);
  } finally {
    await sql`reset statement_timeout`.execute(db);
  }
}
