import { isStorageError } from '../../domain/errors.ts';
import { cutoff, UNNAMED_AFTER_RESTORE_DAYS } from '../../domain/retention.ts';
import { listRestores } from '../audit/accept-restore.ts';
import type { Refusal } from './refusals.ts';
import type { LifecycleDeps } from './work.ts';

/**
 * Why objects that no row names must stay, whoever asks; null when they may go. A database that was restored from a backup
 * names nothing that came after it, and what came after it is all that is left of those photos. The audit ledger tells: it
 * does not go through its anchors in the object store then, until an admin accepts that, from where on people have
 * {@link UNNAMED_AFTER_RESTORE_DAYS} days to decide about the objects. Nothing goes either while the anchors cannot be read.
 * Compares all anchors (one an hour of `AUDIT_RETENTION_MONTHS`, by their names), since the last one is good again as soon as
 * the restored chain has grown: to be asked once a run.
 */
export async function whyUnnamedStay(
  deps: Pick<LifecycleDeps, 'db' | 'storage' | 'clock' | 'log'>,
): Promise<Omit<Refusal, 'rules'> | null> {
  const reason = await reasonOf(deps);
  if (reason !== null) deps.log.warn(reason, 'objects that no row names are left');
  return reason;
}

async function reasonOf(
  deps: Pick<LifecycleDeps, 'db' | 'storage' | 'clock' | 'log'>,
): Promise<Omit<Refusal, 'rules'> | null> {
  try {
    const { accepted, open } = await listRestores(deps);
    if (open !== null) return { code: 'CONFLICT', message: LOST };
    const before = cutoff({ days: UNNAMED_AFTER_RESTORE_DAYS }, deps.clock.now()).getTime();
    // A time that cannot be read is not known to be over.
    const recent = accepted.find(({ acceptedAt }) => !(Date.parse(acceptedAt) <= before));
    return recent === undefined ? null : { code: 'CONFLICT', message: decideBy(recent.acceptedAt) };
  } catch (error) {
    if (!isStorageError(error) || error.code === 'ABORTED') throw error;
    return { code: error.code, message: UNREAD };
  }
}

const LOST =
  'The audit ledger does not go through all its anchors, as after a restore of the database: what no row names may be newer than the database, and stays.';
const UNREAD =
  'The anchors of the audit ledger could not be read, so that nothing says whether the database was restored: what no row names stays.';

function decideBy(acceptedAt: string): string {
  return `A restore of the database was accepted at ${acceptedAt}: what no row names may be newer than the backup, and stays for ${UNNAMED_AFTER_RESTORE_DAYS} days from then on.`;
}
