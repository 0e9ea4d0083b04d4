import { sql } from 'kysely';
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration';
import { makeLateIndexes } from './late-indexes.ts';
import type { Database } from './schema.ts';
import * as itemsFilesObjects from './migrations/0001-items-files-objects.ts';
import * as runs from './migrations/0002-runs.ts';
import * as lifecycle from './migrations/0003-lifecycle.ts';
import * as auditLedger from './migrations/0004-audit-ledger.ts';
import * as uploadForms from './migrations/0005-upload-forms.ts';
import * as cdn from './migrations/0006-cdn.ts';
import * as scrub from './migrations/0007-scrub.ts';
import * as rollups from './migrations/0008-rollups.ts';
import * as refusedPhotos from './migrations/0009-refused-photos.ts';
import * as evidenceMoves from './migrations/0010-evidence-moves.ts';
import * as scannerCanaries from './migrations/0012-scanner-canaries.ts';
import * as reviewCases from './migrations/0013-review-cases.ts';
import * as moderation from './migrations/0014-moderation.ts';
import * as fingerprints from './migrations/0015-fingerprints.ts';
import * as receiptsAndHints from './migrations/0016-receipts-and-hints.ts';
import * as scrubRecords from './migrations/0017-scrub-records.ts';
import * as copies from './migrations/0018-copies.ts';
import * as alarmsAndSecondLooks from './migrations/0019-alarms-and-second-looks.ts';
import * as rateLimits from './migrations/0020-rate-limits.ts';
import * as search from './migrations/0023-search.ts';
import * as usage from './migrations/0025-usage.ts';

/**
 * In order; a migration that has been released is never edited. A number that is missing (0011) was set aside for a change that
 * in the end needed no table; it stays free, since a migration never comes before one that has run.
 */
export const MIGRATIONS = {
  '0001-items-files-objects': itemsFilesObjects,
  '0002-runs': runs,
  '0003-lifecycle': lifecycle,
  '0004-audit-ledger': auditLedger,
  '0005-upload-forms': uploadForms,
  '0006-cdn': cdn,
  '0007-scrub': scrub,
  '0008-rollups': rollups,
  '0009-refused-photos': refusedPhotos,
  '0010-evidence-moves': evidenceMoves,
  '0012-scanner-canaries': scannerCanaries,
  '0013-review-cases': reviewCases,
  '0014-moderation': moderation,
  '0015-fingerprints': fingerprints,
  '0016-receipts-and-hints': receiptsAndHints,
  '0017-scrub-records': scrubRecords,
  '0018-copies': copies,
  '0019-alarms-and-second-looks': alarmsAndSecondLooks,
  '0020-rate-limits': rateLimits,
  '0023-search': search,
  '0025-usage': usage,
};

/**
 * How long a migration waits for a lock. Whoever comes to the table meanwhile waits behind it, so it must be short; the
 * whole migration is taken back and tried again.
 */
const LOCK_MS = 2000;
const TRIES = 30;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Brings the schema up to date. Several processes may start at once: each migration is applied once. Those that use the
 * tables meanwhile wait two seconds at most. Resolves to the names of migrations and indexes that were made here.
 */
export async function migrateToLatest(
  db: Database,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<readonly string[]> {
  const waitingBriefly = Object.fromEntries(
    Object.entries(migrations).map(([name, migration]) => [name, briefly(migration)]),
  );
  const provider = { getMigrations: () => Promise.resolve(waitingBriefly) };
  const { error, results } = await untilUnlocked(() => new Migrator({ db, provider }).migrateToLatest());
  if (error !== undefined)
    throw error instanceof Error ? error : new Error('The migration failed', { cause: error });
  const applied = (results ?? [])
    .filter((result) => result.status === 'Success')
    .map((result) => result.migrationName);
  return [...applied, ...(await makeLateIndexes(db))];
}

/** Waits briefly for locks, and may take long for what it does. Not for the processes that wait until it is done. */
function briefly(migration: Migration): Migration {
  return {
    async up(db) {
      await sql`set local lock_timeout = ${sql.lit(LOCK_MS)}`.execute(db);
      await sql`set local statement_timeout = 0`.execute(db);
      await migration.up(db);
    },
  };
}

async function untilUnlocked(migrate: () => Promise<MigrationResultSet>): Promise<MigrationResultSet> {
  for (let left = TRIES; ; left -= 1) {
    const result = await migrate();
    const { error } = result;
    const isLocked = error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
    if (!isLocked || left === 0) return result;
  }
}
