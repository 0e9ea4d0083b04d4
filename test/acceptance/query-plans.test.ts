import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { start } from '#src/app/start.ts';
import { loadConfig } from '#src/config/index.ts';
import { connect } from '#src/db/connect.ts';
import { migrateToLatest } from '#src/db/migrate.ts';
import type { Database, Schema } from '#src/db/schema.ts';
import { isPreparable } from '#src/db/statement-names.ts';
import { until, untilDelivered, urlOf } from '#test/support/app.ts';
import { pretendLarge } from '#test/support/plans/large-tables.ts';
import {
  Explained,
  type LoggedPlan,
  LOG_PLANS,
  nodesOf,
  type PlanNode,
  readPlans,
} from '#test/support/plans/logged-plans.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { openAccess } from './access/access.ts';
import type { Caller } from './access/row.ts';
import { ACCESS } from './access/table.ts';

/** The others ask what one of these asks. */
const ASKING: readonly Caller[] = ['nobody', 'owner', 'admin'];

let dataDir: string;
let server: EmbeddedPostgres;
let db: Database;
let plans: readonly LoggedPlan[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'localex-plans-'));
  await chmod(dataDir, 0o755);
  server = await startEmbeddedPostgres({ dataDir, fsync: false });
  db = connect({ connection: server.connection, poolSize: 1, statementTimeoutMs: 60_000, log: silentLog });
  await migrateToLatest(db);
  await server.administrate(['alter system set autovacuum = off', ...pretendLarge(), ...LOG_PLANS]);
  await doEverything();
  plans = await readPlans(join(dataDir, 'postgres', 'server.log'));
});
afterAll(async () => {
  await db.destroy();
  await server.close();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

/** Asks every route, and runs what is scheduled once, without waiting for its time. */
async function doEverything(): Promise<void> {
  const everyTick = vi.spyOn(globalThis, 'setInterval');
  const config = loadConfig({
    DATABASE_URL: urlOf(server),
    DATA_DIR: join(dataDir, 'service'),
    PORT: '0',
    STORAGE_FSYNC: 'false',
    UPLOADS_PER_MINUTE: '10000',
    PHOTOS_PER_ITEM: '200',
    ...DOUBT_ALL,
  });
  const service = await start(config, pino({ level: 'silent' }));
  try {
    const access = await openAccess(service.url);
    for (const row of ACCESS) for (const caller of ASKING) await access.call(row, caller);
    for (const [tick] of everyTick.mock.calls) tick();
    await untilDelivered({ db });
    await until('all runs to end', async () => {
      const open = await db.selectFrom('runs').select('id').where('finished_at', 'is', null).execute();
      return open.length === 0 ? true : null;
    });
  } finally {
    everyTick.mockRestore();
    await service.stop();
  }
}

/** The planner's cost of reading some ten thousand rows. What costs less is small, or empty. */
const SMALL_COST = 1000;

/** Those of the job queue are written in capitals. */
const OURS = /^\s*[a-z]/;

/** What may read a large table from end to end, and why. */
const MAY_READ_ALL: Readonly<Record<string, string>> = {
  'select count(*) from files where state in (': 'a replay of moderation reads every photo anyway',
  'select count(*) as "count" from "files" where "kind"':
    'a rebuild of the search index reads every photo anyway',
  'select "key_id", count(*)':
    'documents are one file of a hundred, and are counted before a key is destroyed',
};

test('no route, job or trigger reads a large table from end to end', () => {
  expect(plans.length, 'plans').toBeGreaterThan(1000);
  expect(readers(plans)).toEqual([]);
});

test('nor does one that is prepared, with a plan for any parameters', async () => {
  const texts = new Map(plans.map((plan) => [plan.text, plan]));
  const prepared = [...texts.values()].filter(
    ({ text }) => OURS.test(text) && text.includes('$1') && isPreparable(text),
  );
  expect(prepared.length, 'prepared statements').toBeGreaterThan(50);
  const later: LoggedPlan[] = [];
  await db.connection().execute(async (connection) => {
    for (const statement of prepared) later.push(await planAtLast(connection, statement));
  });
  expect(readers(later)).toEqual([]);
});

/** Statements that read a large table from end to end and may not. */
function readers(of: readonly LoggedPlan[]): string[] {
  const found = of.filter(({ text, plan }) => {
    const isKnown = Object.keys(MAY_READ_ALL).some((known) => text.startsWith(known));
    return !isKnown && nodesOf(plan).some(isReadOfAll);
  });
  return [...new Set(found.map(({ text }) => text))];
}

function isReadOfAll(node: PlanNode): boolean {
  return node['Node Type'] === 'Seq Scan' && node['Total Cost'] > SMALL_COST;
}

/** How the server plans a prepared statement once it may take a plan for any parameters: at the sixth time. */
async function planAtLast(connection: Kysely<Schema>, { text, parameters }: LoggedPlan): Promise<LoggedPlan> {
  const values = [...parameters.matchAll(/\$\d+ = (NULL|'(?:[^']|'')*')/g)].map(([, value]) => value);
  await sql.raw(`prepare asked as ${text}`).execute(connection);
  let last: unknown;
  for (let round = 0; round < 6; round += 1) {
    const explained = await sql
      .raw<{ 'QUERY PLAN': unknown }>(`explain (format json) execute asked (${values.join(', ')})`)
      .execute(connection);
    last = explained.rows[0]?.['QUERY PLAN'];
  }
  await sql`deallocate asked`.execute(connection);
  return { text, parameters, plan: Explained.parse(last)[0].Plan };
}
