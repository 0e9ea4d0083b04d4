import { createHash } from 'node:crypto';

/** A row of the audit ledger with its seal, as the chain covers it. Times are microseconds since 1970, UTC. */
export interface SealedEntry {
  readonly seq: number;
  readonly sealedAtUs: number;
  readonly id: number;
  readonly atUs: number;
  readonly userId: string;
  readonly action: string;
  readonly fileId: string | null;
  /** JSON, exactly as it is stored. */
  readonly details: string;
}

/** What stands before the first row. */
export const CHAIN_START: Uint8Array = createHash('sha256').update('localex-storage audit ledger 1').digest();

const NULL_LENGTH = 0xffff_ffff;

/**
 * The hash of a row in the chain: SHA-256(hash of the row before ‖ canonical encoding). Each field of the encoding is
 * its length (4 bytes, big-endian; all ones for null) and its UTF-8 text, so that no two rows have one encoding.
 */
export function chainHash(previous: Uint8Array, entry: SealedEntry): Buffer {
  const hash = createHash('sha256').update(previous);
  const fields = [
    String(entry.seq),
    String(entry.sealedAtUs),
    String(entry.id),
    String(entry.atUs),
    entry.userId,
    entry.action,
    entry.fileId,
    entry.details,
  ];
  for (const field of fields) {
    const text = Buffer.from(field ?? '', 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field === null ? NULL_LENGTH : text.length);
    hash.update(length).update(text);
  }
  return hash.digest();
}
