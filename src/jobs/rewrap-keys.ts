import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type DocumentKeyRow, listWrappedByOthers, replaceDocumentKey } from '../db/document-keys.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import type { RunAction } from '../domain/runs.ts';
import { inLanes } from '../services/in-lanes.ts';
import { destroyUnused, type KeyRotationDeps, rotateKey } from '../services/key-rotation.ts';
import { vaultContext } from '../services/storage-security.service.ts';
import type { RunContext, RunHandler } from './runner.ts';

const BATCH = 100;
/** Keys at the vault at one time. */
const AT_ONCE = 10;
/** A document whose key was wrapped just before the rotation is in the database by then. Milliseconds. */
const SETTLE_MS = 60_000;

const Params = z.object({ rotate: z.boolean().default(false), destroyOld: z.boolean().default(false) });
const Cursor = z.object({
  after: z.string(),
  rewrapped: z.int(),
  failed: z.int(),
  /** Whether this run has made its key. */
  rotated: z.boolean().default(false),
});
type Place = z.infer<typeof Cursor>;
const START: Place = { after: '', rewrapped: 0, failed: 0, rotated: false };

/**
 * A run of kind `rewrap-keys`: wraps the key of every document with the current wrapping key, while documents are read and
 * written. A row is replaced only as it was read: one that was shredded or re-wrapped meanwhile stays so. What is
 * re-wrapped already is not looked at again, so that it may die at any line.
 *
 * `rotate` makes a new wrapping key first. A run that dies before it has noted that makes one more: it wraps nothing, and
 * ends with the other old ones.
 *
 * `destroyOld` then ends all older wrapping keys at once, for when one has leaked; not while a document needs it.
 */
export function rewrapKeys(deps: KeyRotationDeps, { settleMs = SETTLE_MS } = {}): RunHandler {
  return async (context) => {
    const { run, params, dryRun, cursor, signal } = context;
    const { rotate, destroyOld } = Params.parse(params);
    const from = cursor === null ? START : Cursor.parse(cursor);
    const place = rotate && !dryRun ? await rotateOnce(deps, context, from) : from;
    const current = (await deps.vault.wrappingKeys()).find((key) => key.isCurrent);
    if (current === undefined) throw new StorageError('KEYS_UNAVAILABLE');
    let counts = await rewrapRest(deps, context, current.id, place);
    if (!destroyOld || dryRun) return { keyId: current.id, ...counts, destroyed: [] };
    const settledIn = current.createdAt.getTime() + settleMs - deps.clock.now().getTime();
    if (settledIn > 0) await pause(settledIn, undefined, { signal }).catch(handedBack);
    counts = await rewrapRest(deps, context, current.id, { ...place, ...counts, after: '' });
    const destroyed = await destroyUnused(deps, run.requestedBy, () => true);
    return { keyId: current.id, ...counts, destroyed };
  };
}

async function rotateOnce(
  deps: KeyRotationDeps,
  { run, checkpoint }: RunContext,
  from: Place,
): Promise<Place> {
  if (from.rotated) return from;
  await rotateKey(deps, run.requestedBy);
  const place = { ...from, rotated: true };
  await checkpoint(place, { done: 0, total: null, note: 'a new wrapping key was made' });
  return place;
}

type Counts = Pick<Place, 'rewrapped' | 'failed'>;

async function rewrapRest(
  deps: KeyRotationDeps,
  { dryRun, checkpoint }: RunContext,
  currentKeyId: string,
  from: Place,
): Promise<Counts> {
  let { after, rewrapped, failed } = from;
  for (;;) {
    const page = { after: after === '' ? null : after, limit: BATCH };
    const rows = await listWrappedByOthers(deps.db, currentKeyId, page);
    if (rows.length === 0) return { rewrapped, failed };
    const failures = dryRun ? [] : await rewrapAll(deps, rows);
    failed += failures.length;
    rewrapped += rows.length - failures.length;
    after = rows.at(-1)?.fileId ?? after;
    const note = dryRun ? 'counting' : 're-wrapping';
    await checkpoint(
      { ...from, after, rewrapped, failed },
      { done: rewrapped + failed, total: null, note },
      failures,
    );
  }
}

function handedBack(): never {
  throw new StorageError('ABORTED');
}

/** Those that could not be re-wrapped: their key or context does not open them, which trying again does not mend. */
async function rewrapAll(deps: KeyRotationDeps, rows: readonly DocumentKeyRow[]): Promise<RunAction[]> {
  const failures: RunAction[] = [];
  await inLanes(rows, AT_ONCE, async (row) => {
    try {
      const fresh = await deps.vault.rewrap(row, vaultContext(row));
      await replaceDocumentKey(deps.db, row.fileId, row, fresh);
    } catch (error) {
      if (!isStorageError(error, 'FORBIDDEN')) throw error;
      const { fileId, keyId } = row;
      deps.log.error({ fileId, keyId }, 'the key of a document cannot be re-wrapped');
      failures.push({ action: 'rewrap-failed', subject: fileId, details: { keyId } });
    }
  });
  return failures;
}
