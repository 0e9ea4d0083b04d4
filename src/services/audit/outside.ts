import { entryPlaceOf, type EntryPlace, findLost, listWithoutSeal } from '../../db/audit/chain.ts';
import type { ChainPlace } from '../../db/audit/sealing.ts';
import type { Db } from '../../db/schema.ts';
import { PAGE } from './page.ts';
import type { AuditDamage, AuditProblem } from './verdict.ts';

/** An entry that is not sealed by then is reported. */
const UNSEALED_SECONDS = 60;
/** How far back from where verifying began rows without a seal are looked for: transactions do not last that long. */
const LATE_US = 3_600_000_000;

/** Where to begin looking for rows outside the chain, when the chain was verified from there. */
export async function outsideFrom(db: Db, start: ChainPlace): Promise<EntryPlace> {
  const { atUs } = await entryPlaceOf(db, start.seq);
  return { atUs: Math.max(0, atUs - LATE_US), id: 0 };
}

/** Rows that the chain does not know: lost before they were sealed, put there by another way, or waiting too long. */
export async function checkOutside(
  db: Db,
  from: EntryPlace,
  onPage: (place: EntryPlace) => Promise<void>,
): Promise<AuditProblem | null> {
  const lost = await findLost(db);
  if (lost !== null) return foreignRow('removed', lost.id, 'was removed before it was sealed');
  for (let place: EntryPlace | null = from; place !== null; ) {
    const page = await listWithoutSeal(db, place, PAGE);
    for (const { id, isQueued, ageSeconds } of page.unsealed) {
      if (!isQueued) return foreignRow('added', id, 'has no seal, and was not written as entries are');
      if (ageSeconds > UNSEALED_SECONDS)
        return foreignRow('unsealed', id, `waits for its seal for ${Math.round(ageSeconds)} seconds`);
    }
    place = page.next;
    if (place !== null) await onPage(place);
  }
  return null;
}

function foreignRow(damage: AuditDamage, entryId: number, what: string): AuditProblem {
  return { damage, seq: null, entryId, message: `Entry ${entryId} ${what}.` };
}
