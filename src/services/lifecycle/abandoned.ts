import { millisecondsOf, RETENTION } from '../../domain/retention.ts';
import type { LifecycleDeps } from './work.ts';
import { type Part, record } from './work.ts';

const RULE = 'abandoned-uploads';

/**
 * Removes, by the table's rule, what uploads that died have left in the store: unfinished multipart uploads, temporary
 * files. The store knows them, our rows do not. Resolves to how many; of a dry run, to how many it would be.
 */
export function abortAbandonedUploads(
  { sweepIncomplete }: Pick<LifecycleDeps, 'sweepIncomplete'>,
  dryRun = false,
): Promise<number> {
  return sweepIncomplete(millisecondsOf(RETENTION[RULE]), { dryRun });
}

/** The same as a part of a run. */
export const abortAbandoned: Part = {
  name: RULE,
  async page(deps, work) {
    const count = await abortAbandonedUploads(deps, work.dryRun);
    if (count === 0) return { next: null, outcomes: [] };
    const action = { action: 'abort', subject: 'unfinished uploads', details: { rule: RULE, count } };
    if (!work.dryRun) await record(deps.db, work, action);
    return { next: null, outcomes: [{ action, bytes: 0 }] };
  },
};
