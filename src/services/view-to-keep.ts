import { createHash } from 'node:crypto';
import type { Db, FileRow, VariantRow } from '../db/schema.ts';
import { listVariants } from '../db/variants.ts';
import { type ObjectKey, parsePublicKey, quarantineViewKey } from '../domain/keys.ts';

/** What stays in quarantine of a photo that is taken down, so that an appeal can be judged. */
export interface ViewToKeep {
  /** Its row as original of the photo, but for its key. */
  readonly original: VariantRow;
  /** The public object it is copied from. */
  readonly source: string;
  readonly key: ObjectKey;
  /** Of the photo from then on. */
  readonly hash12: string;
}

/**
 * The original; where that is archived and cannot be read, the 1200 px rendition in its place. This one has other bytes,
 * so it gets another hash: should it be published again, no key ever had two contents.
 */
export async function viewToKeep(db: Db, file: FileRow): Promise<ViewToKeep | null> {
  const variants = await listVariants(db, [file.id]);
  const original = variants.find((variant) => variant.name === 'original');
  if (file.archive === 'none') return original === undefined ? null : viewOf(original, (hash12) => hash12);
  const large = variants.find((variant) => variant.name === 'large' && variant.format === 'jpeg');
  return large === undefined ? null : viewOf(large, stoodInFor);
}

function viewOf(variant: VariantRow, hashOf: (hash12: string) => string): ViewToKeep | null {
  const parts = parsePublicKey(variant.key);
  if (parts === null) return null;
  const hash12 = hashOf(parts.hash12);
  const key = quarantineViewKey(parts.fileId, hash12, parts.format);
  return { original: { ...variant, name: 'original' }, source: variant.key, key, hash12 };
}

function stoodInFor(hash12: string): string {
  return createHash('sha256').update(hash12).update('large').digest('hex').slice(0, 12);
}
