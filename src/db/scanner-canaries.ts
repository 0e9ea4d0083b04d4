import type { Distrust } from '../domain/canary.ts';
import type { Db, ScannerCanaryRow } from './schema.ts';

/** Why the scanner is not believed; null when it is, or was never tried. */
export async function findDistrust(db: Db, scanner: string): Promise<Distrust> {
  const row = await db
    .selectFrom('scanner_canaries')
    .select('distrust')
    .where('scanner', '=', scanner)
    .executeTakeFirst();
  return row?.distrust ?? null;
}

/** Keeps how a scanner did; `since` stays while the outcome does. */
export async function saveCanary(
  db: Db,
  { scanner, ...canary }: Omit<ScannerCanaryRow, 'since'>,
): Promise<void> {
  await db
    .insertInto('scanner_canaries')
    .values({ scanner, ...canary, since: canary.checked_at })
    .onConflict((conflict) =>
      conflict.column('scanner').doUpdateSet((eb) => ({
        ...canary,
        since: eb
          .case()
          .when('scanner_canaries.outcome', '=', canary.outcome)
          .then(eb.ref('scanner_canaries.since'))
          .else(canary.checked_at)
          .end(),
      })),
    )
    .execute();
}

/** Scanners that were tried since then, by name. */
export async function listCanaries(db: Db, since: Date): Promise<readonly ScannerCanaryRow[]> {
  return db
    .selectFrom('scanner_canaries')
    .selectAll()
    .where('checked_at', '>=', since)
    .orderBy('scanner')
    .execute();
}
