import { addEvidenceMoves } from '../../db/evidence.ts';
import { listObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import { evidenceKey, isPublicKey } from '../../domain/keys.ts';

/**
 * What a hold keeps of a file that ends, beside what is in `keep`: uploaded bytes, the document, the original; renditions
 * can be made again from it. An original that is public is on its way into quarantine from then on, unless `keep` has
 * its copy there already. Resolves to the keys that stay. In the transaction that ends the file, before its variants go.
 */
export async function keepEvidence(db: Db, file: FileRow, keep: readonly string[] = []): Promise<string[]> {
  const live = (await listObjects(db, file.id)).filter(({ state }) => state === 'live').map(({ key }) => key);
  const originals = live.filter((key) => {
    const copy = evidenceKey(key);
    return copy !== null && !keep.includes(copy);
  });
  if (originals.length > 0) await haveMoved(db, file, originals);
  return [...live.filter((key) => !isPublicKey(key)), ...originals];
}

async function haveMoved(db: Db, file: FileRow, originals: readonly string[]): Promise<void> {
  const variants = await listVariants(db, [file.id]);
  const hashOf = (key: string) => variants.find((variant) => variant.key === key)?.sha256 ?? null;
  await addEvidenceMoves(
    db,
    file.id,
    originals.map((key) => ({ key, sha256: hashOf(key) })),
  );
  await addToOutbox(db, 'move-evidence', { fileId: file.id });
}
