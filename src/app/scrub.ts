import type { Config } from '../config/index.ts';
import type { ScrubDeps } from '../jobs/scrub.ts';
import { createStorageService } from '../services/storage.service.ts';
import type { Composition } from './compose.ts';

/** What the scrub works with beside other jobs: the primary store by itself, and where lost bytes may be found. */
export function scrubDeps(config: Config, parts: Pick<Composition, 'jobs' | 'store' | 'backups'>): ScrubDeps {
  return {
    ...parts.jobs,
    primary: createStorageService({ store: parts.store }),
    backups: parts.backups,
    scrub: { bytesPerSecond: config.scrub.bytesPerSecond },
  };
}
