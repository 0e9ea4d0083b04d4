import { isStorageError } from '../domain/errors.ts';
import { fileId } from '../domain/ids.ts';
import { trimFileEvents } from '../db/events.ts';
import { listOverdue, listQuiet, listReceivedBefore, lockFileAndItem, updateFile } from '../db/files.ts';
import { dropExpiredKeys } from '../db/idempotency.ts';
import { condemnObjects, listAbandoned, listObjects, listUnremoved } from '../db/objects.ts';
import { addToOutbox, trimOutbox } from '../db/outbox.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { listVariants } from '../db/variants.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { discard, end } from '../services/removal.ts';
import { complete } from '../services/uploads/complete.ts';
import { keepRaw } from './ingest/raw.ts';

export type SweepDeps = Pick<ServiceDeps, 'db' | 'storage' | 'clock' | 'limits' | 'log'>;

const BATCH = 100;
/** A file at work shows a new stage at least this often; after that its job may be lost. */
const QUIET_MS = 120_000;
/** Bytes that have arrived and were never completed are completed for the client after this. */
const UNCOMPLETED_MS = 120_000;
/** Announced keys that no row came to stand on are removed after this. */
const ABANDONED_MS = 3_600_000;
const HISTORY_MS = 30 * 86_400_000;
const DELIVERED_MS = 86_400_000;

/** One named part of the sweep. */
type Part = readonly [name: string, run: (deps: SweepDeps, now: Date) => Promise<void>];

const PARTS: readonly Part[] = [
  ['complete arrived uploads', completeArrived],
  ['keep what is checked for long', keepLongChecked],
  ['end overdue files', endOverdue],
  ['deliver lost jobs again', deliverAgain],
  ['remove abandoned objects', removeAbandoned],
  ['remove what is still to be removed', removeAgain],
  ['trim history', trim],
];

/**
 * Mends what the queue, a client or a dead process has left: it needs no memory of its own, the rows say what is missing.
 * One part's failure does not keep the others from running.
 */
export async function sweep(deps: SweepDeps): Promise<void> {
  for (const [name, run] of PARTS) {
    try {
      await run(deps, deps.clock.now());
    } catch (error) {
      deps.log.warn({ err: error, part: name }, 'a part of the sweep failed');
    }
  }
}

async function completeArrived(deps: SweepDeps, now: Date): Promise<void> {
  const pending = await listQuiet(deps.db, ['pending'], ago(now, UNCOMPLETED_MS), BATCH);
  for (const file of pending.filter((row) => row.upload_etag !== null)) {
    try {
      await complete(deps, fileId(file.id));
    } catch (error) {
      if (!isStorageError(error)) throw error;
      deps.log.info({ fileId: file.id, code: error.code }, 'an upload could not be completed by the sweep');
    }
  }
}

async function endOverdue(deps: SweepDeps, now: Date): Promise<void> {
  for (const { id } of await listOverdue(deps.db, now, BATCH))
    await withLocks(deps.db, id, async (trx, file) => {
      if (file.deadline_at === null || file.deadline_at > now) return;
      if (file.state === 'pending')
        await discard(trx, file, { code: 'UPLOAD_EXPIRED', message: 'The upload was not finished in time.' });
      else if (file.state === 'received' || file.state === 'checking' || file.state === 'published')
        await end(trx, file, 'failed', {
          code: 'DEADLINE_EXCEEDED',
          message: 'The photo could not be processed in time. Please upload it again.',
        });
    });
}

async function keepLongChecked(deps: SweepDeps, now: Date): Promise<void> {
  const since = ago(now, deps.limits.quarantineAfterSeconds * 1000);
  for (const file of await listReceivedBefore(deps.db, since, BATCH)) await keepRaw(deps, file);
}

async function deliverAgain(deps: SweepDeps, now: Date): Promise<void> {
  for (const file of await listQuiet(
    deps.db,
    ['received', 'checking', 'published'],
    ago(now, QUIET_MS),
    BATCH,
  )) {
    const topic = file.kind === 'verification_document' ? 'scan-document' : 'ingest';
    await addToOutbox(deps.db, topic, { fileId: file.id, generation: file.generation });
    // Touches the row, so that the next sweep waits before it asks again.
    await updateFile(deps.db, { id: file.id, from: file.state }, { attempts: file.attempts });
  }
}

async function removeAbandoned(deps: SweepDeps, now: Date): Promise<void> {
  const abandoned = await listAbandoned(deps.db, ago(now, ABANDONED_MS), BATCH);
  for (const [id, objects] of Map.groupBy(abandoned, (object) => object.fileId))
    await withLocks(deps.db, id, async (trx, file) => {
      if (['pending', 'received', 'checking', 'published'].includes(file.state)) return;
      const named = new Set((await listVariants(trx, [id])).map((variant) => variant.key));
      const keys = objects.map((object) => object.key).filter((key) => !named.has(key));
      const condemned = await condemnObjects(trx, keys);
      if (condemned.length > 0)
        await addToOutbox(trx, 'delete-objects', { fileId: id, keys: condemned, paths: [] });
    });
}

async function removeAgain(deps: SweepDeps, now: Date): Promise<void> {
  const left = await listUnremoved(deps.db, ago(now, QUIET_MS), BATCH);
  for (const [id, objects] of Map.groupBy(left, (object) => object.fileId))
    await deps.db.transaction().execute(async (trx) => {
      const keys = objects.map((object) => object.key);
      await condemnObjects(trx, keys);
      await addToOutbox(trx, 'delete-objects', { fileId: id, keys, paths: [] });
    });
  for (const file of await listQuiet(deps.db, ['deleting'], ago(now, QUIET_MS), BATCH)) {
    if ((await listObjects(deps.db, file.id)).length > 0) continue;
    await addToOutbox(deps.db, 'delete-objects', { fileId: file.id, keys: [], paths: [] });
  }
}

async function trim(deps: SweepDeps, now: Date): Promise<void> {
  await dropExpiredKeys(deps.db, now);
  await trimOutbox(deps.db, ago(now, DELIVERED_MS));
  await trimFileEvents(deps.db, ago(now, HISTORY_MS));
}

async function withLocks(
  db: SweepDeps['db'],
  id: string,
  work: (trx: Db, file: FileRow) => Promise<void>,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, id);
    if (file !== null) await work(trx, file);
  });
}

function ago(now: Date, ms: number): Date {
  return new Date(now.getTime() - ms);
}
