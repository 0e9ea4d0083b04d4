import { enforceBan } from '../db/banned-pictures.ts';
import { forgetAttempts, MOST_ATTEMPTS, noteAttempt } from '../db/fingerprint-backfill.ts';
import { lockFile } from '../db/files.ts';
import { insertFingerprint } from '../db/fingerprints.ts';
import type { FileRow } from '../db/schema.ts';
import { listVariants } from '../db/variants.ts';
import { isStorageError } from '../domain/errors.ts';
import { isPublic } from '../domain/file-state.ts';
import type { Fingerprint } from '../domain/fingerprint.ts';
import { recogniseLater } from '../services/fingerprints/recognise.ts';
import { readProven } from '../services/storage/proven.ts';
import type { JobDeps } from './deps.ts';
import { hideDoubtful } from './hide-doubtful.ts';

export type LateDeps = Pick<
  JobDeps,
  'db' | 'storage' | 'images' | 'log' | 'findCopies' | 'policy' | 'deliverNow'
>;

/**
 * Makes the fingerprint of a photo that has none, from what is stored of it. False for a photo that has left meanwhile, or whose
 * bytes cannot be read: it stays without. One that ends the image process is given up after a few attempts, and remembered.
 * Errors: what a later attempt may find mended, such as STORAGE_UNAVAILABLE.
 */
export async function printLate(deps: LateDeps, file: FileRow): Promise<boolean> {
  const { db, log } = deps;
  for (;;) {
    const attempt = await noteAttempt(db, file.id);
    try {
      const fingerprint = await look(deps, file);
      const isKept = fingerprint !== null && (await keep(deps, file, fingerprint));
      await forgetAttempts(db, file.id);
      return isKept;
    } catch (error) {
      const isDeadly = isStorageError(error, 'IMAGE_PROCESS_FAILED');
      if (isDeadly && attempt < MOST_ATTEMPTS) continue;
      if (!isDeadly) await forgetAttempts(db, file.id);
      if (!isDeadly && (!isStorageError(error) || error.retryable)) throw error;
      log.warn({ err: error, fileId: file.id }, 'a photo got no fingerprint');
      return false;
    }
  }
}

async function look({ db, storage, images }: LateDeps, file: FileRow): Promise<Fingerprint | null> {
  const variants = await listVariants(db, [file.id]);
  const named = (name: string) =>
    variants.find((variant) => variant.name === name && variant.format === 'jpeg');
  const source = named('medium') ?? named('original') ?? variants[0];
  if (source === undefined) return null;
  const { bytes } = await readProven(storage, source);
  const image = await images.open(bytes, { kind: file.kind });
  try {
    return await image.fingerprint();
  } finally {
    await image.close();
  }
}

async function keep(deps: LateDeps, file: FileRow, fingerprint: Fingerprint): Promise<boolean> {
  const newer = await deps.db.transaction().execute(async (trx) => {
    const now = await lockFile(trx, file.id);
    if (now === null || !(isPublic(now.state) || now.state === 'taken_down' || now.state === 'in_review'))
      return null;
    await insertFingerprint(trx, file.id, fingerprint);
    await enforceBan(trx, file.id);
    return deps.findCopies && isPublic(now.state) ? recogniseLater(trx, file, fingerprint) : [];
  });
  for (const other of newer ?? []) await hideDoubtful(deps, other);
  return newer !== null;
}
