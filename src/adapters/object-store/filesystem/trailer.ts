import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { isObjectKey, type ObjectKey } from '../../../domain/keys.ts';
import { type ObjectInfo, STORAGE_CLASSES } from '../../../ports/object-store.ts';

/**
 * What a file says about itself, behind the object's bytes: bytes and metadata are one file, so they become
 * visible in one rename, and the bytes begin at offset 0.
 *
 * `bytes… | JSON | length of the JSON (uint32 LE) | CRC-32 of the JSON (uint32 LE) | magic (8 bytes)`
 */
export function encodeTrailer(info: ObjectInfo): Buffer {
  const record: z.input<typeof recordSchema> = {
    key: info.key,
    bytes: info.bytes,
    etag: info.etag,
    contentType: info.contentType,
    cacheControl: info.cacheControl,
    metadata: info.metadata,
    storageClass: info.storageClass,
    modifiedAt: info.modifiedAt.getTime(),
  };
  const json = Buffer.from(JSON.stringify(record));
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32LE(json.length, 0);
  footer.writeUInt32LE(crc32(json), 4);
  footer.write(MAGIC, 8, 'latin1');
  return Buffer.concat([json, footer]);
}

/** How long the whole trailer is, from the last {@link FOOTER_BYTES} of a file; null when it has none. */
export function trailerLength(tail: Buffer): number | null {
  if (tail.length < FOOTER_BYTES) return null;
  const footer = tail.subarray(tail.length - FOOTER_BYTES);
  if (footer.toString('latin1', 8) !== MAGIC) return null;
  return footer.readUInt32LE(0) + FOOTER_BYTES;
}

/** Reads a whole trailer of a file of `fileBytes`; null when it does not fit its own checks. */
export function decodeTrailer(trailer: Buffer, fileBytes: number): ObjectInfo | null {
  const json = trailer.subarray(0, trailer.length - FOOTER_BYTES);
  if (crc32(json) !== trailer.readUInt32LE(json.length + 4)) return null;
  const parsed = recordSchema.safeParse(JSON.parse(json.toString()));
  if (!parsed.success || parsed.data.bytes + trailer.length !== fileBytes) return null;
  return { ...parsed.data, modifiedAt: new Date(parsed.data.modifiedAt) };
}

export const FOOTER_BYTES = 16;
const MAGIC = 'LXOBJ01\n';

const recordSchema = z.object({
  key: z.custom<ObjectKey>((value) => typeof value === 'string' && isObjectKey(value)),
  bytes: z.int().nonnegative(),
  etag: z.string(),
  contentType: z.string(),
  cacheControl: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  storageClass: z.enum(STORAGE_CLASSES),
  /** Milliseconds since 1970. */
  modifiedAt: z.int(),
});
