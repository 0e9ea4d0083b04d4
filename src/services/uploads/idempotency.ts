import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claimKey,
  extendKey,
  findKey,
  finishKey,
  type IdempotencyRow,
  type IdempotencyScope,
  noteKeyFile,
  releaseKey,
} from '../../db/idempotency.ts';
import { StorageError } from '../../domain/errors.ts';
import type { ServiceDeps } from '../deps.ts';

/** A claim that is not extended for this long belongs to a process that died. */
const CLAIM_SECONDS = 60;
const EXTEND_MS = 20_000;
const LOOK_AGAIN_MS = 100;

export interface IdempotentWork {
  readonly fileId: string;
  /** SHA-256 of the bytes that were taken. */
  readonly fingerprint: string;
}

export interface IdempotentAnswer {
  readonly fileId: string;
  /** Another request with this key made the file. */
  readonly replayed: boolean;
}

/**
 * Runs `work` once for a key; it calls `reserved` as soon as there is a file. A repeated request with the same bytes
 * gets the same file; with other bytes IDEMPOTENCY_CONFLICT. One that arrives while the first is at work waits for it up
 * to `waitMs` and then gets the file that is on its way; BUSY when there is none yet.
 */
export async function once(
  deps: Pick<ServiceDeps, 'db' | 'limits'>,
  scope: IdempotencyScope,
  body: Readable | Uint8Array,
  waitMs: number,
  work: (reserved: (fileId: string) => Promise<void>) => Promise<IdempotentWork>,
): Promise<IdempotentAnswer> {
  const holder = randomUUID();
  const claim = await claimKey(deps.db, scope, holder, CLAIM_SECONDS);
  if (claim.holder !== holder) return replay(deps, scope, body, waitMs, claim);
  const beat = setInterval(() => {
    extendKey(deps.db, scope, holder, CLAIM_SECONDS).catch(() => undefined);
  }, EXTEND_MS);
  try {
    const done = await work((fileId) => noteKeyFile(deps.db, scope, holder, fileId));
    await finishKey(deps.db, scope, holder, { ...done, seconds: deps.limits.idempotencySeconds });
    return { fileId: done.fileId, replayed: false };
  } catch (error) {
    // When even this fails the claim runs out by itself.
    await releaseKey(deps.db, scope, holder).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(beat);
  }
}

async function replay(
  deps: Pick<ServiceDeps, 'db' | 'limits'>,
  scope: IdempotencyScope,
  body: Readable | Uint8Array,
  waitMs: number,
  first: IdempotencyRow,
): Promise<IdempotentAnswer> {
  const fingerprint = await hashOf(body, deps.limits.maxFileSize);
  const now = await waitForFirst(deps, scope, waitMs, first);
  if (now.fileId === null)
    throw new StorageError('BUSY', 'The first request with this key is still at work.', { retryAfter: 2 });
  if (now.finished && now.fingerprint !== fingerprint)
    throw new StorageError('IDEMPOTENCY_CONFLICT', 'This idempotency key was used with other bytes.');
  return { fileId: now.fileId, replayed: true };
}

async function waitForFirst(
  deps: Pick<ServiceDeps, 'db'>,
  scope: IdempotencyScope,
  waitMs: number,
  first: IdempotencyRow,
): Promise<IdempotencyRow> {
  const until = Date.now() + Math.max(waitMs, LOOK_AGAIN_MS);
  let row: IdempotencyRow | null = first;
  while (row !== null && !row.finished && Date.now() < until) {
    await sleep(LOOK_AGAIN_MS);
    row = await findKey(deps.db, scope);
  }
  if (row === null)
    throw new StorageError('BUSY', 'The first request with this key failed; send it again.', {
      retryAfter: 1,
    });
  return row;
}

async function hashOf(body: Readable | Uint8Array, maxBytes: number): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body instanceof Readable ? body : [body]) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new StorageError('IDEMPOTENCY_CONFLICT', 'This idempotency key was used with other bytes.');
    hash.update(chunk);
  }
  return hash.digest('hex');
}
