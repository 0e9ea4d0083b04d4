import { findItem } from '../db/items.ts';
import { listFindings } from '../db/review-cases.ts';
import type { FileRow } from '../db/schema.ts';
import { withConfidence } from '../domain/finding.ts';
import { isHidden } from '../domain/moderation-policy.ts';
import { POLICY } from '../domain/review-case.ts';
import { doubt } from '../services/review/doubt.ts';
import { unapproved } from '../services/review/unapproved.ts';
import type { JobDeps } from './deps.ts';

/**
 * Takes a photo out of the public where the policy says so of what its fingerprint has found, also of an earlier run that ended
 * between finding and hiding. False when it stays.
 */
export async function hideDoubtful(
  deps: Pick<JobDeps, 'db' | 'storage' | 'deliverNow' | 'policy'>,
  file: FileRow,
): Promise<boolean> {
  const found = (await listFindings(deps.db, [file.id])).get(file.id) ?? [];
  const matches = found.filter(({ source }) => source === 'fingerprint').map(withConfidence);
  const open = await unapproved(deps.db, file.id, matches);
  const item = file.item_id === null ? null : await findItem(deps.db, file.item_id);
  if (!isHidden(deps.policy, open, item?.category ?? null)) return false;
  return doubt(deps, file, {
    source: 'fingerprint',
    findings: matches,
    isHidden: true,
    by: { userId: POLICY },
  });
}
