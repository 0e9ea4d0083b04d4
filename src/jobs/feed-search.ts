import { raiseSearchVersions } from '../db/search-outbox.ts';
import { isStorageError } from '../domain/errors.ts';
import type { RunsService } from '../services/runs.service.ts';
import { type FeedDeps, feedSearch } from '../services/search/feed.ts';
import { fillWhenEmpty } from './rebuild-search.ts';
import type { ScheduledTask } from './schedule.ts';

const EVERY_MS = 500;
/** While the search is down it is asked less and less often, at most so seldom. Milliseconds. */
const LONGEST_PAUSE_MS = 15_000;

type Deps = FeedDeps & { readonly runs: Pick<RunsService, 'start'> };

/**
 * Keeps the index up to date: half a second after a photo has changed, or once a search that was down answers again. An index
 * that is new is filled by a run.
 */
export function searchFeedTask(deps: Deps): ScheduledTask {
  let isPrepared = false;
  let pauseMs = 0;
  let resumesAt = 0;

  const feed = async () => {
    if (!isPrepared) await prepareFeed(deps);
    isPrepared = true;
    while ((await feedSearch(deps)) > 0);
  };
  return {
    name: 'feed the search',
    everyMs: EVERY_MS,
    async run() {
      if (performance.now() < resumesAt) return;
      try {
        await feed();
        if (pauseMs > 0) deps.log.info({}, 'the search answers again');
        pauseMs = 0;
      } catch (error) {
        if (!isStorageError(error, 'SEARCH_UNAVAILABLE')) throw error;
        if (pauseMs === 0) deps.log.warn({ err: error }, 'the search does not answer: what changes waits');
        pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(EVERY_MS, pauseMs * 2));
        resumesAt = performance.now() + pauseMs;
      }
    },
  };
}

async function prepareFeed(deps: Deps): Promise<void> {
  await deps.index.prepare();
  await raiseSearchVersions(deps.db, await deps.index.highestVersion());
  await fillWhenEmpty(deps);
}
