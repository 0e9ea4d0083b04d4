import { deepStrictEqual } from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createMemoryCache } from '#src/adapters/cache/memory.ts';
import { createEdge } from '#src/adapters/cdn/edge/index.ts';
import { openKeyPair } from '#src/adapters/cdn/signing/key-pair.ts';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { listPlaced, listUnplaced } from '#src/db/positions.ts';
import { readStorage, recountOwners, recountStorage } from '#src/db/rollups.ts';
import type { Database } from '#src/db/schema.ts';
import { itemId } from '#src/domain/ids.ts';
import { systemClock } from '#src/ports/clock.ts';
import type { Cdn } from '#src/ports/cdn.ts';
import { storageReport } from '#src/services/lifecycle/report.ts';
import { getItemPhotos } from '#src/services/photos/gallery.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { median, print } from './support/client.ts';
import { COUNTING, type Counting, prepareWriting, writeObjects } from './support/object-writers.ts';
import { startBenchPostgres } from './support/postgres.ts';
import {
  AFTER_SEEDING,
  BEFORE_SEEDING,
  listingId,
  PHOTOS_PER_LISTING,
  SEEDING_CONNECTIONS,
  seedPhotos,
  sellerOf,
} from './support/seed-rows.ts';

/**
 * Gallery and storage report with many photos beside few, in turns, and what counting costs those who write. Ends with an
 * error when the counters are not what counting every object gives. `node bench/scale.ts [photos] [galleries] [seconds]`;
 * the bounds are for 1000000 photos, which take about 8 GB of disk.
 */
const FEW = 1000;
const SHOWN_UNPLACED = 50;
const many = Number(process.argv[2] ?? 20_000);
const galleries = Number(process.argv[3] ?? 2000);
const seconds = Number(process.argv[4] ?? 2);

const server = await startBenchPostgres();
const folder = await mkdtemp(join(tmpdir(), 'localex-scale-'));
try {
  await seed('few', FEW);
  await seed('many', many);
  const sides = [
    { name: 'few', photos: FEW, db: server.open('few', 1) },
    { name: 'many', photos: many, db: server.open('many', 1) },
  ];
  await measureGalleries(sides, await cdnOf());
  for (const { name, photos, db } of sides) await measureServer(name, photos, db);
  for (const { name, db } of sides) await measureReport(name, db);
  await Promise.all(sides.map(({ db }) => db.destroy()));
  await measureWriting();
} finally {
  await server.close();
  await rm(folder, { recursive: true, force: true });
}

async function seed(name: string, photos: number): Promise<void> {
  await server.create(name);
  await server.administrate(BEFORE_SEEDING);
  const db = server.open(name, SEEDING_CONNECTIONS);
  const started = performance.now();
  let told = 0;
  await seedPhotos(db, photos, (written) => {
    if (written - told < photos / 20 && written < photos) return;
    told = written;
    process.stderr.write(
      `  ${written} photos after ${((performance.now() - started) / 1000).toFixed(0)} s\n`,
    );
  });
  const { rows } = await sql<{ size: number }>`select pg_database_size(current_database()) as size`.execute(
    db,
  );
  await db.destroy();
  await server.administrate(AFTER_SEEDING);
  const gb = (rows[0]?.size ?? 0) / 1024 ** 3;
  print(`seed-${name}`, { photos, s: (performance.now() - started) / 1000, gb });
}

/** What is asked of one listing, each by the product's own functions. */
function questions(db: Database, cdn: Cdn): Record<string, (index: number) => Promise<unknown>> {
  const none = createMemoryCache({ maxBytes: 0 });
  const kept = createMemoryCache({ maxBytes: 1024 ** 3 });
  return {
    roundtrip: () => sql`select 1`.execute(db),
    query: (index) => listPlaced(db, listingId(index)),
    // As many listings as the small table has, so that both are in PostgreSQL's memory: what is left is the index's depth.
    query_hot: (index) => listPlaced(db, listingId(index % (FEW / PHOTOS_PER_LISTING))),
    query_refused: (index) => listUnplaced(db, listingId(index), SHOWN_UNPLACED),
    service_buyer: (index) => getItemPhotos({ db, cdn, cache: none }, null, itemId(listingId(index))),
    // As many listings as the small table has: each has been asked for before.
    service_cached: (index) =>
      getItemPhotos({ db, cdn, cache: kept }, null, itemId(listingId(index % (FEW / PHOTOS_PER_LISTING)))),
    service_seller: (index) =>
      getItemPhotos(
        { db, cdn, cache: none },
        { userId: sellerOf(index), roles: ['seller'] },
        itemId(listingId(index)),
      ),
  };
}

async function measureGalleries(
  sides: readonly { name: string; photos: number; db: Database }[],
  cdn: Cdn,
): Promise<void> {
  const asked = sides.map((side) => ({ ...side, ask: questions(side.db, cdn) }));
  for (const question of Object.keys(asked[0]?.ask ?? {})) {
    const times: Record<string, number[]> = { few: [], many: [] };
    // The first fifth warms up: code is compiled, the catalogue is read.
    for (let round = -galleries / 5; round < galleries; round += 1)
      for (const { name, photos, ask } of asked) {
        const index = randomInt(photos / PHOTOS_PER_LISTING);
        const began = performance.now();
        await ask[question]?.(index);
        if (round >= 0) times[name]?.push(performance.now() - began);
      }
    const few = median(times['few'] ?? []);
    const p50 = median(times['many'] ?? []);
    print(`gallery-${question}`, {
      p50_ms: p50,
      few_p50_ms: few,
      ratio: p50 / few,
      ...(question.startsWith('query') && { bound_p50_ms: '0.2', bound_ratio: '1.2' }),
      load: loadavg()[0] ?? Number.NaN,
    });
  }
}

/** What planning and finding take in the server, of what the query takes here. */
async function measureServer(name: string, photos: number, db: Database): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < galleries / 4; round += 1) {
    const id = listingId(randomInt(photos / PHOTOS_PER_LISTING));
    const { rows } = await sql<{ 'QUERY PLAN': readonly Explained[] }>`
      explain (analyze, format json) select * from files where item_id = ${id} and position is not null order by position
    `.execute(db);
    for (const plan of rows[0]?.['QUERY PLAN'] ?? [])
      times.push(plan['Planning Time'] + plan['Execution Time']);
  }
  print(`gallery-in_server-${name}`, { p50_ms: median(times), load: loadavg()[0] ?? Number.NaN });
}

interface Explained {
  readonly 'Planning Time': number;
  readonly 'Execution Time': number;
}

async function measureReport(name: string, db: Database): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 50; round += 1)
    times.push(await timed(() => storageReport({ db, now: new Date() })));
  const recounts = await timed(() => expectCounted(db));
  print(`report-${name}`, {
    p50_ms: median(times),
    max_ms: Math.max(...times),
    bound_ms: '10',
    equal: 'true',
    recounts_ms: recounts,
    load: loadavg()[0] ?? Number.NaN,
  });
}

/** Throws when counters, or a report made of them, differ from a count of every object. */
async function expectCounted(db: Database): Promise<void> {
  const { totals, owners } = await readStorage(db, 1_000_000);
  const recount = await recountStorage(db);
  deepStrictEqual(totals, recount);
  const byOwner = new Map(
    owners.map(({ ownerId, objects, bytes }) => [ownerId, { ownerId, objects, bytes }]),
  );
  const counted = await recountOwners(db);
  deepStrictEqual([...byOwner.keys()].length, counted.length);
  for (const owner of counted) deepStrictEqual(byOwner.get(owner.ownerId), owner);
  const { total } = await storageReport({ db, now: new Date() });
  const sum = (of: (each: (typeof recount)[number]) => number) =>
    recount.reduce((all, each) => all + of(each), 0);
  deepStrictEqual([total.objects, total.bytes], [sum((each) => each.objects), sum((each) => each.bytes)]);
}

/** In turns, so that whatever else the machine does meets all of them. Counters that made writers wait would show at 50. */
async function measureWriting(): Promise<void> {
  for (const counting of COUNTING) await prepareWriting(server, counting);
  for (const writers of [1, 50]) {
    const perSecond: Record<Counting, number[]> = { none: [], deltas: [], one_row: [] };
    for (let turn = 0; turn < 3; turn += 1)
      for (const counting of COUNTING)
        perSecond[counting].push(await writeObjects(server, { counting, writers, ms: seconds * 1000 }));
    for (const counting of COUNTING)
      print(`write-counted-${counting}`, {
        writers: String(writers),
        files_per_s: median(perSecond[counting]),
        of_uncounted: median(perSecond[counting]) / median(perSecond.none),
        load: loadavg()[0] ?? Number.NaN,
      });
  }
  const db = server.open('deltas', 1);
  const deltas = await sql<{ waiting: number }>`select count(*) as waiting from storage_deltas`.execute(db);
  const fold = await timed(() => storageReport({ db, now: new Date() }));
  await expectCounted(db);
  await db.destroy();
  print('report-after-writing', { deltas: deltas.rows[0]?.waiting ?? 0, ms: fold, equal: 'true' });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function cdnOf(): Promise<Cdn> {
  return createEdge({
    store: await createFilesystemObjectStore({
      root: join(folder, 'objects'),
      fsync: false,
      publicUrl: 'http://127.0.0.1',
      signingKey: randomBytes(32),
    }),
    url: () => 'http://127.0.0.1/cdn',
    hotCacheBytes: 1024 ** 2,
    keyPair: await openKeyPair(join(folder, 'edge-signing.pem')),
    signatures: { maxSeconds: 3600, windowSeconds: 300 },
    profileThumbnailKey: async () => '',
    mayServe: async () => true,
    clock: systemClock,
    log: silentLog,
  });
}
