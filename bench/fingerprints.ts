import { sql } from 'kysely';
import { insertFingerprint } from '#src/db/fingerprints.ts';
import { findLookalikes } from '#src/db/lookalikes.ts';
import type { Database } from '#src/db/schema.ts';
import { askedTokens, type Fingerprint } from '#src/domain/fingerprint.ts';
import { newFileId } from '#src/services/new-id.ts';
import { print } from './support/client.ts';
import { startBenchPostgres } from './support/postgres.ts';
import { fillPrints, fixturePrints, noise, printOfRow } from './support/prints.ts';

/**
 * Looking up a photo among so many fingerprints and bans, on whichever side it lies, with the service's own functions, and what
 * keeping one costs. Fingerprints are made by turning over bits of landmarks of real photos at random. Run: `node bench/fingerprints.ts [fingerprints] [lookups]`
 */
const count = Number(process.argv[2] ?? 100_000);
const lookups = Number(process.argv[3] ?? 200);

const server = await startBenchPostgres();
try {
  await server.create('prints');
  const db = server.open('prints', 2);
  const real = await fixturePrints();
  const started = performance.now();
  await fillPrints(db, count, real);
  print('filled', {
    fingerprints: count,
    seconds: (performance.now() - started) / 1000,
    ...(await sizes(db)),
  });
  await measure(db, real);
  await db.destroy();
} finally {
  await server.close();
}

async function sizes(db: Database) {
  const { rows } = await sql<{ table: number; index: number }>`
    select pg_table_size('fingerprints') / 1e6 as table, pg_total_relation_size('fingerprint_tokens') / 1e6 as index`.execute(
    db,
  );
  return { table_mb: Number(rows[0]?.table), tokens_mb: Number(rows[0]?.index) };
}

async function measure(db: Database, real: readonly Fingerprint[]): Promise<void> {
  const times: Record<'empty' | 'known' | 'unknown' | 'keep', number[]> = {
    empty: [],
    known: [],
    unknown: [],
    keep: [],
  };
  let [found, sharing, compared] = [0, 0, 0];
  for (let round = 0; round < lookups; round++) {
    const id = 1 + Math.floor(((round + 0.5) / lookups) * count);
    times.empty.push((await timed(() => sql`select 1`.execute(db))).ms);
    const known = await printOfRow(db, id);
    const hit = await timed(() => findAll(db, known));
    times.known.push(hit.ms);
    if (hit.value.elsewhere.some((lookalike) => lookalike.id === id)) found += 1;
    const stranger = noise(real);
    times.unknown.push((await timed(() => findAll(db, stranger))).ms);
    const { rows, candidates } = await countSharing(db, stranger);
    sharing += rows;
    compared += candidates;
    const fileId = newFileId();
    const kept = await timed(() =>
      db.transaction().execute((trx) => insertFingerprint(trx, fileId, stranger)),
    );
    times.keep.push(kept.ms);
  }
  print('an empty round trip', spread(times.empty));
  print('lookup of a photo that is there', { ...spread(times.known), found: `${found}/${lookups}` });
  print('lookup of one that is not', {
    ...spread(times.unknown),
    tokens_found: sharing / lookups,
    photos_with_two: compared / lookups,
  });
  print('keeping one', spread(times.keep));
}

/** What each new photo asks for: bans, photos of others and of its listing. */
function findAll(db: Database, asked: Fingerprint) {
  const file = { id: newFileId(), owner_id: 'nobody', item_id: null };
  return findLookalikes(db, asked, { file, which: { before: Number.MAX_SAFE_INTEGER } });
}

async function countSharing(
  db: Database,
  stranger: Fingerprint,
): Promise<{ rows: number; candidates: number }> {
  const asked = askedTokens(stranger);
  const { rows } = await sql<{ rows: number; candidates: number }>`
    select (select count(*) from fingerprint_tokens where token = any (${asked}::integer[])) as rows,
      (select count(*) from prints_sharing(${asked}::integer[])) as candidates`.execute(db);
  return { rows: Number(rows[0]?.rows), candidates: Number(rows[0]?.candidates) };
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  const value = await work();
  return { value, ms: performance.now() - started };
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1) };
}
