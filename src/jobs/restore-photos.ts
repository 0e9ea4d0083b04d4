import { listRestoring } from '../db/lifecycle.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { advanceRestore } from '../services/lifecycle/restore.ts';

const PAGE = 100;

/** Looks at every original that is being brought back, and copies what the store has restored into STANDARD. */
export async function advanceRestores(deps: Pick<ServiceDeps, 'db' | 'storage' | 'log'>): Promise<void> {
  let after: string | null = null;
  do {
    const page: string[] = await listRestoring(deps.db, { after, limit: PAGE });
    for (const fileId of page) {
      try {
        await advanceRestore(deps, fileId);
      } catch (error) {
        deps.log.warn({ err: error, fileId }, 'an original could not be brought back');
      }
    }
    after = page.length < PAGE ? null : (page.at(-1) ?? null);
  } while (after !== null);
}
