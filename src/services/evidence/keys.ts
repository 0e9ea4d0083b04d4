import { createHash } from 'node:crypto';
import { evidenceKey, type ObjectKey, parsePublicKey, quarantineViewKey } from '../../domain/keys.ts';

export interface EvidenceKeys {
  /** Where the original is kept. */
  readonly to: ObjectKey;
  /** Where bytes are kept that were found in its place. Has another hash, as it is another content. */
  readonly aside: ObjectKey;
}

/** Where what a public original leaves behind as evidence lies in quarantine; null for what is no public original. */
export function evidenceKeys(key: string): EvidenceKeys | null {
  const to = evidenceKey(key);
  const parts = parsePublicKey(key);
  if (to === null || parts === null) return null;
  const hash12 = createHash('sha256').update(parts.hash12).update('altered').digest('hex').slice(0, 12);
  return { to, aside: quarantineViewKey(parts.fileId, hash12, parts.format) };
}
