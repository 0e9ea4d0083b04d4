import { randomUUID } from 'node:crypto';
import { takeLease } from '../db/leases.ts';
import type { Listener } from '../db/listener.ts';
import type { Database } from '../db/schema.ts';
import type { Log } from '../ports/log.ts';

const LEASE = 'cdn purges';
const LEASE_SECONDS = 30;
const POLL_MS = 2_000;

/**
 * Carries purges to the CDN, in one process at a time: whenever the database tells of a new one, and every two seconds
 * besides. `advance` may be cut off at any line; the next one goes on from what is written down.
 */
export async function startPurger(
  deps: { readonly db: Database; readonly log: Log; readonly advance: () => Promise<void> },
  listener: Pick<Listener, 'listen'>,
): Promise<{ close(): Promise<void> }> {
  const holder = randomUUID();
  let closed = false;
  let running: Promise<void> | null = null;

  const once = async () => {
    try {
      if (await takeLease(deps.db, LEASE, holder, LEASE_SECONDS)) await deps.advance();
    } catch (error) {
      deps.log.warn({ err: error }, 'purges could not be carried to the CDN');
    }
  };
  const wake = () => {
    if (closed) return;
    running ??= once().finally(() => {
      running = null;
    });
  };
  await listener.listen('localex_purges', wake);
  const timer = setInterval(wake, POLL_MS);
  wake();

  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}
