import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { recordAccess, recordAccesses } from '#src/db/access-log.ts';
import { chainHead, sealEntries } from '#src/db/audit/sealing.ts';
import { connect } from '#src/db/connect.ts';
import { migrateToLatest } from '#src/db/migrate.ts';
import type { Database, Db } from '#src/db/schema.ts';
import { startSealer } from '#src/jobs/seal-audit.ts';
import { verifyLedger } from '#src/services/audit/verify.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { print } from './support/client.ts';

/**
 * Appending to the audit ledger with 50 writers while the sealer works, beside a bare insert of the same row and beside
 * a chain that the writers make themselves, one at a time. Embedded PostgreSQL, with fsync. `node bench/audit.ts [seconds]`
 */
const WRITERS = 50;
/** Appends a second of all writers together, paced: thousands of private reads a minute. */
const PACED_PER_SECOND = 500;
const seconds = Number(process.argv[2] ?? 6);

const dataDir = await mkdtemp(join(tmpdir(), 'localex-bench-'));
await chmod(dataDir, 0o755);
const server = await startEmbeddedPostgres({ dataDir });
const options = { connection: server.connection, statementTimeoutMs: 60_000, log: silentLog };
const db = connect({ ...options, poolSize: WRITERS });
const sealerDb = connect({ ...options, poolSize: 2 });
try {
  await migrateToLatest(db);
  await sql`create table bare (like audit.entries including defaults including indexes)`.execute(db);
  await sql`create table self_chained (seq bigint primary key, body json not null, hash bytea not null)`.execute(
    db,
  );
  await Promise.all(Array.from({ length: WRITERS }, () => sql`select pg_sleep(0.1)`.execute(db)));

  const sealer = startSealer({ db: sealerDb, log: silentLog });
  for (const [name, append] of Object.entries({
    bare: insertBare,
    ledger: appendLedger,
    self_chained: appendSelfChained,
  })) {
    const paced = await measure(append, PACED_PER_SECOND);
    const full = await measure(append, null);
    const lag = name === 'ledger' ? { unsealed_after_1_s: await unsealedAfterASecond() } : {};
    print(`append-${name}`, {
      writers: WRITERS,
      paced_per_s: paced.perSecond,
      paced_p50_ms: paced.p50,
      paced_p99_ms: paced.p99,
      ...(name === 'ledger' && { bound_p50_ms: '2' }),
      full_per_s: full.perSecond,
      full_p50_ms: full.p50,
      full_p99_ms: full.p99,
      ...lag,
    });
  }
  await sealer.close();

  const count = 100_000;
  for (let done = 0; done < count; done += 1000)
    await recordAccesses(
      db,
      Array.from({ length: 1000 }, (_, index) => entry(index)),
    );
  const sealStarted = performance.now();
  while ((await sealEntries(sealerDb, 1000)) !== 0);
  print('seal', { rows_per_s: count / ((performance.now() - sealStarted) / 1000) });

  const store = await createFilesystemObjectStore({
    root: join(dataDir, 'objects'),
    fsync: false,
    publicUrl: 'http://127.0.0.1',
    signingKey: Buffer.alloc(32),
  });
  const before = process.memoryUsage.rss();
  const verifyStarted = performance.now();
  const verdict = await verifyLedger(
    { db, storage: createStorageService({ store }), log: silentLog },
    { from: 'start' },
  );
  print('verify', {
    ok: String(verdict.ok),
    rows: verdict.checked,
    rows_per_s: verdict.checked / ((performance.now() - verifyStarted) / 1000),
    grown_mb: (process.memoryUsage.rss() - before) / 1024 ** 2,
  });
} finally {
  await Promise.all([db.destroy(), sealerDb.destroy()]);
  await server.close();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

/** All writers append for `seconds`, at a common rate or as fast as they can. */
async function measure(append: (db: Database, index: number) => Promise<void>, perSecond: number | null) {
  const times: number[] = [];
  const started = performance.now();
  const interval = perSecond === null ? 0 : (WRITERS / perSecond) * 1000;
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let round = 0; performance.now() - started < seconds * 1000; round += 1) {
        // Spread over the interval, and by turns a little off.
        const due = started + interval * (round + writer / WRITERS);
        if (interval > 0) await pause(Math.max(0, due - performance.now()));
        const began = performance.now();
        await append(db, writer);
        times.push(performance.now() - began);
      }
    }),
  );
  const total = (performance.now() - started) / 1000;
  const ordered = times.toSorted((a, b) => a - b);
  const at = (share: number) => ordered[Math.floor(ordered.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), perSecond: times.length / total };
}

function entry(index: number) {
  return {
    userId: `user-${index}`,
    action: 'document.read',
    fileId: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
    details: { key: 'quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11' },
  };
}

async function insertBare(at: Database, index: number): Promise<void> {
  const { userId, action, fileId, details } = entry(index);
  await sql`insert into bare (user_id, action, file_id, details)
    values (${userId}, ${action}, ${fileId}, ${JSON.stringify(details)})`.execute(at);
}

function appendLedger(at: Database, index: number): Promise<void> {
  return recordAccess(at, entry(index));
}

/** The usual way: a lock, the last hash, the next one, in the writer's transaction. */
async function appendSelfChained(at: Database, index: number): Promise<void> {
  await at.transaction().execute(async (trx: Db) => {
    await sql`select pg_advisory_xact_lock(1)`.execute(trx);
    await sql`insert into self_chained (seq, body, hash)
      select coalesce(max(seq), 0) + 1, ${JSON.stringify(entry(index))}::json,
        sha256(coalesce((select hash from self_chained order by seq desc limit 1), '') || convert_to(${JSON.stringify(entry(index))}, 'UTF8'))
      from (select seq from self_chained order by seq desc limit 1) last`.execute(trx);
  });
}

async function unsealedAfterASecond(): Promise<number> {
  const { seq } = await chainHead(db);
  await pause(1000);
  const left = await db.selectFrom('audit.unsealed').selectAll().execute();
  return seq === 0 ? Number.NaN : left.length;
}
