import { sql } from 'kysely';
import { insertFingerprint } from '#src/db/fingerprints.ts';
import { findBannedLookalikes, findCopyLookalikes } from '#src/db/lookalikes.ts';
import type { Database } from '#src/db/schema.ts';
import { askedTokens, type Fingerprint } from '#src/domain/fingerprint.ts';
import { newFileId } from '#src/services/new-id.ts';
import { print } from './support/client.ts';
import { startBenchPostgres } from './support/postgres.ts';
import { fillPrints, fixturePrints, noise, printOfRow } from './support/prints.ts';

/**
 * Looking up a photo among so many fingerprints, and among bans, with the service's own functions, and what keeping one costs. Fingerprints are
 * made by turning over bits of landmarks of real photos at random. Run: `node bench/fingerprints.ts [fingerprints] [lookups]`
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
    select pg_table_size('fingerprints') / 1e6 as table, pg_relation_size('fingerprints_by_token') / 1e6 as index`.execute(
    db,
  );
  return { table_mb: Number(rows[0]?.table), index_mb: Number(rows[0]?.index) };
}

async function measure(db: Database, real: readonly Fingerprint[]): Promise<void> {
  const times: Record<'empty' | 'known' | 'unknown' | 'keep', number[]> = {
    empty: [],
    known: [],
    unknown: [],
    keep: [],
  };
  let [found, sharing] = [0, 0];
  for (let round = 0; round < lookups; round++) {
    const id = 1 + Math.floor(((round + 0.5) / lookups) * count);
    times.empty.push((await timed(() => sql`select 1`.execute(db))).ms);
    const known = await printOfRow(db, id);
    const hit = await timed(() => findAll(db, known));
    times.known.push(hit.ms);
    if (hit.value.some((lookalike) => lookalike.id === id)) found += 1;
    const stranger = noise(real);
    times.unknown.push((await timed(() => findAll(db, stranger))).ms);
    sharing += await countSharing(db, stranger);
    const fileId = newFileId();
    const kept = await timed(() =>
      db.transaction().execute((trx) => insertFingerprint(trx, fileId, stranger)),
    );
    times.keep.push(kept.ms);
  }
  print('an empty round trip', spread(times.empty));
  print('lookup of a photo that is there', { ...spread(times.known), found: `${found}/${lookups}` });
  print('lookup of one that is not', { ...spread(times.unknown), rows_with_a_token: sharing / lookups });
  print('keeping one', spread(times.keep));
}

/** What each new photo asks for: bans, then photos of others. */
async function findAll(db: Database, asked: Fingerprint) {
  const everybody = { ownerId: 'nobody', before: Number.MAX_SAFE_INTEGER };
  return [...(await findBannedLookalikes(db, asked)), ...(await findCopyLookalikes(db, asked, everybody))];
}

async function countSharing(db: Database, stranger: Fingerprint): Promise<number> {
  const { landmarks, bands } = askedTokens(stranger);
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from fingerprints_sharing(${[...landmarks, ...bands]}::integer[])`.execute(db);
  return Number(rows[0]?.count);
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
