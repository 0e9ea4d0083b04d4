import { listInactiveOriginals, listOldDocuments } from '../../db/lifecycle.ts';
import { usageIngestedUntil } from '../../db/views.ts';
import { StorageError } from '../../domain/errors.ts';
import { movePart } from './move-class.ts';
import type { LifecycleDeps, Part } from './work.ts';

/**
 * How far behind access logs may be and still be called current: CloudFront delivers most within an hour and may take up
 * to 24 ("Access logs (standard logs)", CloudFront Developer Guide, 2025), and a day passes between two readings.
 */
const LOGS_MAY_LAG_MS = 48 * 3_600_000;

export const archiveItemOriginals: Part = movePart('item-originals-archive', listInactiveOriginals);
export const archiveDocuments: Part = movePart('documents', listOldDocuments);

/** Why nothing may be archived for lack of activity now; null when it may. */
export async function whyNotArchiving(
  deps: Pick<LifecycleDeps, 'db' | 'clock' | 'viewsComeFrom'>,
): Promise<StorageError | null> {
  if (deps.viewsComeFrom === 'edge') return null;
  const until = await usageIngestedUntil(deps.db);
  if (until !== null && deps.clock.now().getTime() - until.getTime() <= LOGS_MAY_LAG_MS) return null;
  const known =
    until === null ? 'No access log was read yet' : `Access logs are read up to ${until.toISOString()}`;
  return new StorageError(
    'USAGE_NOT_CURRENT',
    `${known}: photos that people look at could be taken for forgotten, so none is archived.`,
  );
}
