import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresPhotoIndex } from '#src/adapters/search/postgres.ts';
import type { PhotoIndex, PhotoQuery } from '#src/ports/search.ts';
import { withRetry } from '#src/services/retry.ts';
import { newPrefix, NO_OPENSEARCH, opensearchAt, removeIndexes } from '#test/support/opensearch.ts';
import { askedBy } from '#test/support/photo-documents.ts';
import { inParallel, median, print } from './support/client.ts';
import { startBenchPostgres } from './support/postgres.ts';
import { COMMON, inventedDocument, MIDDLING, misspelt, RARE } from './support/search-documents.ts';

/**
 * How long a search takes among many photos, on PostgreSQL and, where `TEST_OPENSEARCH_URL` names a node, on OpenSearch: a
 * page of 24 hits, without the rows that are then read for them. `node bench/search.ts [photos] [searches of each kind]
 * [postgres or opensearch]`; the bound is for 1000000 photos.
 */
const photos = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 100);
const engine = process.argv[4] ?? 'both';
const BATCH = 1000;
/** Batches that are written side by side. */
const LANES = 4;
const PATIENT = {
  policy: { attempts: 20, baseMs: 500, capMs: 5000 },
  random: Math.random,
  sleep: (ms: number) => pause(ms),
};
const PAGE = 24;
const ANYBODY = { all: false, ownerId: null };

/** Kinds of searches; each round asks for something else. */
const KINDS: Readonly<Record<string, (round: number) => Partial<PhotoQuery>>> = {
  'a rare word': (round) => ({ words: RARE(round) }),
  'a word of a thousandth': (round) => ({ words: MIDDLING(round) }),
  'a word of a tenth': (round) => ({ words: COMMON(round) }),
  'two words': (round) => ({ words: `${COMMON(round)} ${MIDDLING(round)}` }),
  'the beginning of a word': (round) => ({ words: MIDDLING(round).slice(0, 4) }),
  'one letter': (round) => ({ words: COMMON(round).slice(0, 1) }),
  'a word misspelt': (round) => ({ words: misspelt(MIDDLING(round)), isLoose: true }),
  'newest of a color and shape': () => ({ filters: { color: 'purple', orientation: 'square' } }),
  'a word, a color, a shape': (round) => ({
    words: COMMON(round),
    filters: { color: 'red', orientation: 'portrait', minWidth: 1200 },
  }),
  "a seller's own": (round) => ({
    scope: { all: false, ownerId: `seller-${round}` },
    filters: { ownerId: `seller-${round}` },
  }),
  newest: () => ({}),
};

if (engine !== 'opensearch') await onPostgres();
if (engine !== 'postgres' && NO_OPENSEARCH === undefined) await onOpensearch();

async function onPostgres(): Promise<void> {
  const server = await startBenchPostgres();
  try {
    await server.create('search');
    const db = server.open('search', LANES);
    await measure(createPostgresPhotoIndex({ db }));
    await db.destroy();
  } finally {
    await server.close();
  }
}

async function onOpensearch(): Promise<void> {
  const prefix = newPrefix();
  const index = opensearchAt(prefix);
  try {
    await measure(index);
  } finally {
    await index.close();
    await removeIndexes(prefix);
  }
}

async function measure(index: PhotoIndex): Promise<void> {
  await index.prepare();
  const made = await index.create('bench');
  await fill(index, made);
  await index.makeCurrent(made);
  const times: number[] = [];
  for (const [kind, query] of Object.entries(KINDS)) times.push(...(await ask(index, kind, query)));
  print(`${index.name} all`, { p50_ms: median(times), p95_ms: percentile(times, 0.95) });
}

async function fill(index: PhotoIndex, name: string): Promise<void> {
  const started = performance.now();
  await inParallel(Math.ceil(photos / BATCH), LANES, async (batch) => {
    const first = batch * BATCH;
    const count = Math.min(BATCH, photos - first);
    const documents = Array.from({ length: count }, (_, n) => inventedDocument(first + n));
    const entries = documents.map((document) => ({ id: document.id, version: 1, document }));
    // A small node asks for patience while it merges.
    const { outdated, refused } = await withRetry(() => index.write(name, entries), PATIENT);
    if (outdated + refused.length > 0) throw new Error('Expected every document to be taken');
  });
  await index.refresh(name);
  const seconds = (performance.now() - started) / 1000;
  print(`${index.name} fill`, {
    photos: await index.count(name),
    seconds,
    photos_per_second: photos / seconds,
  });
}

async function ask(
  index: PhotoIndex,
  kind: string,
  query: (round: number) => Partial<PhotoQuery>,
): Promise<number[]> {
  const times: number[] = [];
  let hits = 0;
  for (let round = -5; round < rounds; round += 1) {
    const started = performance.now();
    const found = await index.search(askedBy({ scope: ANYBODY, limit: PAGE, ...query(Math.abs(round)) }));
    if (round < 0) continue;
    times.push(performance.now() - started);
    hits += found.length;
  }
  print(`${index.name} ${kind.replaceAll(' ', '-')}`, {
    p50_ms: median(times),
    p95_ms: percentile(times, 0.95),
    hits: hits / rounds,
  });
  return times;
}

function percentile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * at)] ?? Number.NaN;
}
