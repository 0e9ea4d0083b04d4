import { isUnfinished } from '../domain/file-state.ts';
import { fileId } from '../domain/ids.ts';
import { uploadKey } from '../domain/keys.ts';
import { trimFileEvents } from '../db/events.ts';
import { lockFileAndItem, updateFile } from '../db/files.ts';
import {
  listEmptied,
  listEndedForms,
  listOverdue,
  listQuiet,
  listReceivedBefore,
  listUncompleted,
} from '../db/files-due.ts';
import { listHeldInTemporary } from '../db/holds.ts';
import { dropExpiredKeys } from '../db/idempotency.ts';
import { condemnObjects, listAbandoned, listUnremoved, touchCondemned } from '../db/objects.ts';
import { addToOutbox, trimOutbox } from '../db/outbox.ts';
import { trimRuns } from '../db/runs.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { askAgain, listTextWaiting } from '../db/text-reads.ts';
import { listVariants } from '../db/variants.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { keepHeldUpload } from '../services/lifecycle/held-upload.ts';
import { discard, end, type Reason } from '../services/removal.ts';
import { keepRaw } from './ingest/raw.ts';
import { removeLate, takeArrival } from './take-arrival.ts';

export type SweepDeps = Pick<ServiceDeps, 'db' | 'storage' | 'clock' | 'limits' | 'log'>;

const BATCH = 100;
/**
 * A file at work shows a new stage at least this often; after that its job may be lost. Bytes that have arrived and were
 * not completed by then are completed for the client.
 */
const QUIET_MS = 120_000;
/** Reading is slow and has one process: a job that waits so long may still come. */
const UNREAD_MS = 1_800_000;
/** A form that was begun in time may still be on its way so long after its end. */
const FORM_GRACE_MS = 900_000;
/** Announced keys that no row came to stand on are removed after this. */
const ABANDONED_MS = 900_000;
const EXPIRED: Reason = { code: 'UPLOAD_EXPIRED', message: 'The upload was not finished in time.' };
const HISTORY_MS = 30 * 86_400_000;
/** Ended runs, with what they did, are kept for a year. */
const RUNS_MS = 365 * 86_400_000;
const DELIVERED_MS = 86_400_000;

/** One named part of the sweep. */
type Part = readonly [name: string, run: (deps: SweepDeps, now: Date) => Promise<void>];

const PARTS: readonly Part[] = [
  ['complete arrived uploads', completeArrived],
  ['remove what was sent again', removeSentAgain],
  ['keep what is checked for long', keepLongChecked],
  ['keep what is held', keepHeld],
  ['end overdue files', endOverdue],
  ['deliver lost jobs again', deliverAgain],
  ['have text read that nobody has read', readAgain],
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
  const reserved = await listUncompleted(deps.db, ago(now, QUIET_MS), BATCH);
  await forEach(deps, reserved, async (file) => {
    // Touched first: one that cannot be completed comes again after the others.
    await updateFile(deps.db, { id: file.id, from: 'pending' }, { stage: file.stage });
    await takeArrival(deps, uploadKey(fileId(file.id)));
  });
}

/** A form may be sent again until it ends, also after its upload was completed: what it left then goes here. */
async function removeSentAgain(deps: SweepDeps, now: Date): Promise<void> {
  await forEach(deps, await listEndedForms(deps.db, ago(now, FORM_GRACE_MS), BATCH), async (file) => {
    await removeLate(deps, fileId(file.id));
    await updateFile(deps.db, { id: file.id, from: file.state }, { form_expires_at: null });
  });
}

async function keepLongChecked(deps: SweepDeps, now: Date): Promise<void> {
  const since = ago(now, deps.limits.quarantineAfterSeconds * 1000);
  await forEach(deps, await listReceivedBefore(deps.db, since, BATCH), (file) => keepRaw(deps, file));
}

/** Uploaded bytes of held files leave temporary storage, which the bucket empties by itself, whether lifecycle runs come or not. */
async function keepHeld(deps: SweepDeps): Promise<void> {
  for (let after: string | null = null; ; ) {
    const ids = await listHeldInTemporary(deps.db, { after, limit: BATCH });
    await forEach(
      deps,
      ids.map((id) => ({ id })),
      ({ id }) => keepHeldUpload(deps, id),
    );
    after = ids.at(-1) ?? null;
    if (ids.length < BATCH) return;
  }
}

async function endOverdue(deps: SweepDeps, now: Date): Promise<void> {
  await forEach(deps, await listOverdue(deps.db, now, BATCH), ({ id }) =>
    withLocks(deps.db, id, async (trx, file) => {
      if (file.deadline_at === null || file.deadline_at > now) return;
      if (file.state === 'pending') await discard(trx, file, EXPIRED, true);
      else if (isUnfinished(file.state))
        await end(trx, file, 'failed', {
          code: 'DEADLINE_EXCEEDED',
          message: 'The photo could not be processed in time. Please upload it again.',
        });
    }),
  );
}

async function deliverAgain(deps: SweepDeps, now: Date): Promise<void> {
  const quiet = await listQuiet(deps.db, ['received', 'checking', 'published'], ago(now, QUIET_MS), BATCH);
  await forEach(deps, quiet, async (file) => {
    const topic = file.kind === 'verification_document' ? 'scan-document' : 'ingest';
    await addToOutbox(deps.db, topic, { fileId: file.id, generation: file.generation });
    // Touches the row, so that the next sweep waits before it asks again.
    await updateFile(deps.db, { id: file.id, from: file.state }, { attempts: file.attempts });
  });
}

async function readAgain(deps: SweepDeps, now: Date): Promise<void> {
  await forEach(deps, await listTextWaiting(deps.db, ago(now, UNREAD_MS), BATCH), (file) =>
    askAgain(deps.db, file),
  );
}

async function removeAbandoned(deps: SweepDeps, now: Date): Promise<void> {
  const abandoned = await listAbandoned(deps.db, ago(now, ABANDONED_MS), BATCH);
  await forEach(deps, byFile(abandoned), ({ id, keys }) =>
    withLocks(deps.db, id, async (trx, file) => {
      if (isUnfinished(file.state)) return;
      const named = new Set((await listVariants(trx, [id])).map((variant) => variant.key));
      const condemned = await condemnObjects(
        trx,
        keys.filter((key) => !named.has(key)),
      );
      if (condemned.length > 0)
        await addToOutbox(trx, 'delete-objects', { fileId: id, keys: condemned, paths: [] });
    }),
  );
}

async function removeAgain(deps: SweepDeps, now: Date): Promise<void> {
  const left = await listUnremoved(deps.db, ago(now, QUIET_MS), BATCH);
  await forEach(deps, byFile(left), ({ id, keys }) =>
    withLocks(deps.db, id, async (trx) => {
      const condemned = await touchCondemned(trx, keys);
      if (condemned.length > 0)
        await addToOutbox(trx, 'delete-objects', { fileId: id, keys: condemned, paths: [] });
    }),
  );
  const emptied = await listEmptied(deps.db, ago(now, QUIET_MS), BATCH);
  for (const id of emptied) await addToOutbox(deps.db, 'delete-objects', { fileId: id, keys: [], paths: [] });
}

async function trim(deps: SweepDeps, now: Date): Promise<void> {
  await dropExpiredKeys(deps.db, now);
  await trimOutbox(deps.db, ago(now, DELIVERED_MS));
  await trimFileEvents(deps.db, ago(now, HISTORY_MS));
  await trimRuns(deps.db, ago(now, RUNS_MS));
}

/** One file's failure does not keep the next from its turn. */
async function forEach<T extends { readonly id: string }>(
  deps: SweepDeps,
  files: readonly T[],
  work: (file: T) => Promise<unknown>,
): Promise<void> {
  for (const file of files) {
    try {
      await work(file);
    } catch (error) {
      deps.log.warn({ err: error, fileId: file.id }, 'the sweep could not mend a file');
    }
  }
}

function byFile(objects: readonly { key: string; fileId: string }[]): { id: string; keys: string[] }[] {
  const grouped = Map.groupBy(objects, (object) => object.fileId);
  return [...grouped].map(([id, group]) => ({ id, keys: group.map((object) => object.key) }));
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
