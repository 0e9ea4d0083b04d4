import { sql } from 'kysely';
import { z } from 'zod';
import { createEdge, type Edge } from '../adapters/cdn/edge/index.ts';
import type { Listener } from '../db/listener.ts';
import type { Database } from '../db/schema.ts';
import type { UserId } from '../domain/ids.ts';
import type { OutputFormat } from '../domain/renditions.ts';
import { systemClock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ObjectStore } from '../ports/object-store.ts';

const CHANNEL = 'localex_purge';
/** A notification carries less than 8,000 bytes. */
const PATHS_PER_NOTE = 20;

/**
 * The local edge, forgetting paths in every process: whoever invalidates tells the others through the database. A
 * process that was not reachable meanwhile forgets everything.
 */
export async function createCdn(options: {
  /** Base of every public URL, without a slash at the end. */
  url: string;
  hotCacheBytes: number;
  store: ObjectStore;
  listener: Listener;
  db: Database;
  signingKey: Uint8Array;
  profileThumbnailKey: (userId: UserId, format: OutputFormat) => Promise<string>;
  log: Log;
}): Promise<Edge> {
  const { db } = options;
  const edge = createEdge({
    store: options.store,
    url: () => options.url,
    hotCacheBytes: options.hotCacheBytes,
    signingKey: options.signingKey,
    profileThumbnailKey: options.profileThumbnailKey,
    clock: systemClock,
    log: options.log,
  });
  await options.listener.listen(CHANNEL, (payload) => {
    void edge.invalidate(payload === null ? ['*'] : z.array(z.string()).parse(JSON.parse(payload)));
  });
  return {
    ...edge,
    async invalidate(paths) {
      await edge.invalidate(paths);
      for (let start = 0; start < paths.length; start += PATHS_PER_NOTE) {
        const note = JSON.stringify(paths.slice(start, start + PATHS_PER_NOTE));
        await sql`select pg_notify(${CHANNEL}, ${note})`.execute(db);
      }
    },
  };
}
