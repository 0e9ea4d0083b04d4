import { lockFile } from '../db/files.ts';
import { endBackfill, listUnprinted, moveBackfill } from '../db/fingerprint-backfill.ts';
import { insertFingerprint } from '../db/fingerprints.ts';
import type { FileRow } from '../db/schema.ts';
import { listVariants } from '../db/variants.ts';
import { isStorageError } from '../domain/errors.ts';
import { isPublic } from '../domain/file-state.ts';
import { readProven } from '../services/storage/proven.ts';
import type { JobDeps } from './deps.ts';

type Deps = Pick<JobDeps, 'db' | 'storage' | 'images' | 'log'>;

/** A fifth of a second of CPU each: so many a minute leave a core free for uploads. */
const PHOTOS_AT_ONCE = 100;

/**
 * Gives fingerprints to public photos from before there were any, oldest first, from their stored renditions: they are found
 * by what is uploaded later, and are not compared with each other. Goes on where it was left; once over it does nothing.
 * Returns how many photos got one.
 */
export async function backfillFingerprints(deps: Deps): Promise<number> {
  const files = await listUnprinted(deps.db, PHOTOS_AT_ONCE);
  if (files === null) return 0;
  if (files.length === 0) {
    await endBackfill(deps.db);
    return 0;
  }
  let printed = 0;
  for (const file of files) {
    if (await printOne(deps, file)) printed += 1;
    await moveBackfill(deps.db, file.id);
  }
  return printed;
}

/** False for a photo that has left meanwhile, or whose bytes cannot be read: it stays without. */
async function printOne({ db, storage, images, log }: Deps, file: FileRow): Promise<boolean> {
  const variants = await listVariants(db, [file.id]);
  const named = (name: string) =>
    variants.find((variant) => variant.name === name && variant.format === 'jpeg');
  const source = named('medium') ?? named('original') ?? variants[0];
  if (source === undefined) return false;
  try {
    const { bytes } = await readProven(storage, source);
    const image = await images.open(bytes, { kind: file.kind });
    try {
      const { fingerprint } = await image.analyse();
      return await db.transaction().execute(async (trx) => {
        const now = await lockFile(trx, file.id);
        if (now === null || !isPublic(now.state)) return false;
        await insertFingerprint(trx, file.id, fingerprint);
        return true;
      });
    } finally {
      await image.close();
    }
  } catch (error) {
    if (!isStorageError(error) || error.retryable) throw error;
    log.warn({ err: error, fileId: file.id }, 'a photo got no fingerprint');
    return false;
  }
}
