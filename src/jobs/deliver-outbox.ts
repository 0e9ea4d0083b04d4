import { z } from 'zod';
import { addProbe } from '../db/cdn-probes.ts';
import { isPhotoPath } from '../domain/cdn-paths.ts';
import { StorageError } from '../domain/errors.ts';
import { lockFile, transition } from '../db/files.ts';
import { forgetObjects, listObjects, listWritten, lockCondemned } from '../db/objects.ts';
import type { ModerationPolicy } from '../domain/moderation-policy.ts';
import type { FileState } from '../domain/file-state.ts';
import {
  claimOutbox,
  markDelivered,
  type OutboxTopic,
  type OutboxTopics,
  retryOutboxLater,
} from '../db/outbox.ts';
import type { OutboxRow } from '../db/schema.ts';
import type { BackupSource } from '../ports/backup-source.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { forgetGallery } from '../services/photos/cached-gallery.ts';
import { moveEvidence } from '../services/evidence/move.ts';
import { inLanes } from '../services/in-lanes.ts';
import { rejudge } from '../services/moderation/rejudge.ts';
import { advanceRestore } from '../services/lifecycle/restore.ts';

export type DeliveryDeps = Pick<ServiceDeps, 'db' | 'storage' | 'cdn' | 'cache' | 'log' | 'clock'> & {
  /** What becomes of photos whose listing gets another category. */
  readonly policy: ModerationPolicy;
  readonly queue: JobQueue;
  /** Where lost bytes are looked for. */
  readonly backups: readonly BackupSource[];
  /** What other processes deliver. Default: nothing. */
  readonly leaves?: readonly OutboxTopic[];
};

/** What needs rights at the store that only workers have. The database tells them of it at once. */
export const LEFT_TO_WORKERS: readonly OutboxTopic[] = ['restore', 'move-evidence'];

const BATCH = 20;
/** Deliveries at one time: each may hold a connection while the store works. */
const LANES = 4;
/** A row that was claimed and not marked in this time (the process died) comes again. */
const LEASE_SECONDS = 20;
const MAX_DELAY_SECONDS = 300;

/** States in which nobody rightly writes an object of the file. */
const ENDED: ReadonlySet<FileState> = new Set(['rejected', 'failed', 'taken_down', 'deleting']);

const work = z.object({ fileId: z.string(), generation: z.number().int() });
const deletion = z.object({ fileId: z.string(), keys: z.array(z.string()), paths: z.array(z.string()) });
const ofFile = z.object({ fileId: z.string() });
const purge = z.object({ fileId: z.string(), paths: z.array(z.string()) });

/** The original comes before renditions; nobody waits for what is written in a photo. */
const PRIORITIES = { ingest: 10, 'scan-document': 10, derive: 20, 'read-text': 30 } as const;

type Deliver = (deps: DeliveryDeps, payload: unknown) => Promise<void>;

/** What each topic does. Every one may be done twice. */
const DELIVERIES: Readonly<Record<keyof OutboxTopics, Deliver>> = {
  ingest: (deps, payload) => enqueue(deps, 'ingest', payload),
  derive: (deps, payload) => enqueue(deps, 'derive', payload),
  'scan-document': (deps, payload) => enqueue(deps, 'scan-document', payload),
  'read-text': (deps, payload) => enqueue(deps, 'read-text', payload),
  'delete-objects': (deps, payload) => deleteObjects(deps, deletion.parse(payload)),
  // What is not there at once is looked for by a schedule.
  restore: async (deps, payload) => {
    await advanceRestore(deps, ofFile.parse(payload).fileId);
  },
  // What cannot be moved at once stays on its list, which a schedule looks at.
  'move-evidence': (deps, payload) => moveEvidence(deps, ofFile.parse(payload).fileId),
  // The dispatcher itself delivers what follows.
  rejudge: (deps, payload) =>
    rejudge({ ...deps, deliverNow: () => Promise.resolve() }, ofFile.parse(payload).fileId),
  purge: async (deps, payload) => {
    await deps.cdn.invalidate(purge.parse(payload).paths);
  },
};

/** Delivers one batch of what committed changes ask for, or only what one file asks for. Returns how many rows it took. */
export async function deliverOutbox(deps: DeliveryDeps, fileId: string | null = null): Promise<number> {
  const rows = await claimOutbox(deps.db, BATCH, LEASE_SECONDS, { fileId, except: deps.leaves ?? [] });
  await inLanes(rows, LANES, async (row) => {
    if (await deliver(deps, row)) await markDelivered(deps.db, [row.id]);
  });
  return rows.length;
}

async function deliver(deps: DeliveryDeps, row: OutboxRow): Promise<boolean> {
  try {
    if (!isTopic(row.topic)) throw new StorageError('UNSUPPORTED', `Unknown outbox topic ${row.topic}.`);
    await DELIVERIES[row.topic](deps, row.payload);
    return true;
  } catch (error) {
    const delay = Math.min(MAX_DELAY_SECONDS, 2 ** Math.min(row.attempts, 10));
    deps.log.warn({ err: error, outboxId: row.id, topic: row.topic, delay }, 'an outbox delivery failed');
    await retryOutboxLater(deps.db, row.id, delay);
    return false;
  }
}

async function enqueue(deps: DeliveryDeps, name: keyof typeof PRIORITIES, payload: unknown): Promise<void> {
  const { fileId, generation } = work.parse(payload);
  await deps.queue.enqueue(
    name,
    { fileId, generation },
    { dedupeId: `${name}-${fileId}-${generation}`, priority: PRIORITIES[name] },
  );
}

/**
 * Store first, then the rows that name the keys, then the caches: nobody can cache again what is gone. Once they have
 * forgotten it, a probe shows so.
 */
async function deleteObjects(
  deps: DeliveryDeps,
  { fileId, keys, paths }: z.infer<typeof deletion>,
): Promise<void> {
  const itemId = await deps.db.transaction().execute(async (trx) => {
    // The file's lock comes first, as everywhere.
    const file = await lockFile(trx, fileId);
    const condemned = await lockCondemned(trx, keys);
    const written = file !== null && ENDED.has(file.state) ? await listWritten(trx, keys) : [];
    await Promise.all([...condemned, ...written].map((key) => deps.storage.deleteFile(key)));
    // The row of a key that is being written stays: its writer, or the sweep, asks for its removal once more.
    await forgetObjects(trx, condemned);
    if (file?.state === 'deleting' && (await listObjects(trx, fileId)).length === 0)
      await transition(trx, { id: fileId, from: 'deleting' }, 'deleted', { finished_at: new Date() });
    return file?.item_id ?? null;
  });
  if (itemId !== null) await forgetGallery(deps.cache, itemId);
  if (paths.length === 0) return;
  const ticket = await deps.cdn.invalidate(paths);
  const withdrawn = paths.filter(isPhotoPath);
  if (withdrawn.length > 0) await addProbe(deps.db, { fileId, ticket, paths: withdrawn });
}

function isTopic(topic: string): topic is keyof OutboxTopics {
  return Object.hasOwn(DELIVERIES, topic);
}
