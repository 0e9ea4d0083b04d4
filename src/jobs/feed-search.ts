import { randomUUID } from 'node:crypto';
import { takeLease } from '../db/leases.ts';
import { raiseSearchVersions } from '../db/search-outbox.ts';
import type { RunsService } from '../services/runs.service.ts';
import { type FeedDeps, feedSearch } from '../services/search/feed.ts';
import { fillWhenEmpty } from './rebuild-search.ts';

const EVERY_MS = 500;
/** While the search is down it is asked less and less often, at most so seldom. Milliseconds. */
const LONGEST_PAUSE_MS = 15_000;
/** One process feeds at a time, to save work: two would do no harm. Another one takes over after so many seconds. */
const LEASE_SECONDS = 5;

type Deps = FeedDeps & { readonly runs: Pick<RunsService, 'start'> };

/**
 * Keeps the index up to date: half a second after a photo has changed, or once a search that was down answers again. An index
 * that is new is filled by a run.
 */
export function startSearchFeed(deps: Deps): { close(): Promise<void> } {
  const holder = randomUUID();
  let isClosed = false;
  let isPrepared = false;
  let pauseMs = 0;
  let resumesAt = 0;
  let running: Promise<void> | null = null;

  const feed = async () => {
    if (!(await takeLease(deps.db, 'feed the search', holder, LEASE_SECONDS))) return;
    if (!isPrepared) await prepareFeed(deps);
    isPrepared = true;
    while (!isClosed && (await feedSearch(deps)) > 0);
    if (pauseMs > 0) deps.log.info({}, 'the search is fed again');
    pauseMs = 0;
  };
  const wait = (error: unknown) => {
    if (pauseMs === 0) deps.log.warn({ err: error }, 'the search cannot be fed: what changes waits');
    pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(EVERY_MS, pauseMs * 2));
    resumesAt = performance.now() + pauseMs;
  };
  const timer = setInterval(() => {
    if (performance.now() < resumesAt) return;
    running ??= feed()
      .catch(wait)
      .finally(() => {
        running = null;
      });
  }, EVERY_MS);

  return {
    async close() {
      clearInterval(timer);
      isClosed = true;
      await running;
    },
  };
}

async function prepareFeed(deps: Deps): Promise<void> {
  await deps.index.prepare();
  await raiseSearchVersions(deps.db, await deps.index.highestVersion());
  await fillWhenEmpty(deps);
}
