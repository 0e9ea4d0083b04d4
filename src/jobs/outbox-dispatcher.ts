import type { Listener } from '../db/listener.ts';
import { type DeliveryDeps, deliverOutbox } from './deliver-outbox.ts';

export interface OutboxDispatcher {
  /** Delivers what one file asks for now; what fails is tried again later. */
  deliverNow(fileId: string): Promise<void>;
  close(): Promise<void>;
}

/** Waiting rows are looked for this often even when nobody tells. */
const POLL_MS = 2000;

/** Delivers the outbox whenever the database tells of a new row, and every two seconds besides. */
export async function startOutboxDispatcher(
  deps: DeliveryDeps,
  listener: Listener,
): Promise<OutboxDispatcher> {
  let closed = false;
  let again = false;
  let running: Promise<void> | null = null;

  const drain = async () => {
    do {
      again = false;
      while (!closed && (await deliverOutbox(deps)) > 0);
    } while (again && !closed);
  };
  const wake = () => {
    if (closed) return;
    again = true;
    running ??= drain()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'the outbox could not be read'))
      .finally(() => {
        running = null;
        // Somebody called after the last look.
        if (again) wake();
      });
  };

  await listener.listen('localex_outbox', wake);
  const timer = setInterval(wake, POLL_MS);
  wake();

  return {
    async deliverNow(fileId) {
      try {
        await deliverOutbox(deps, fileId);
      } catch (error) {
        deps.log.warn({ err: error, fileId }, 'what follows from a change is delivered later');
      }
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}
