import { StorageError } from './errors.ts';
import type { FileKind } from './file-state.ts';
import { type FileId, type ItemId, isFileId, isItemId, isUserId, type UserId } from './ids.ts';
import {
  extensionOf,
  formatOfExtension,
  type OutputFormat,
  VARIANTS,
  type VariantName,
} from './renditions.ts';

declare const keyBrand: unique symbol;
/** A key that has passed {@link objectKey}: safe for every driver. */
export type ObjectKey = string & { readonly [keyBrand]: true };

const MAX_KEY_BYTES = 1024;
/** So that names in order are numbers in order. */
const OFFSET_DIGITS = 12;
const SEQ_DIGITS = 16;
const SEGMENT = /^[A-Za-z0-9!_.*'()@:|=+,-]+$/;

/**
 * Where objects lie, by what they are: the one place where a prefix is written out. Access rules, retention, replication,
 * roles and the check at the start go by these.
 */
export const PREFIXES = {
  items: 'items/',
  profiles: 'profiles/',
  quarantine: 'quarantine/',
  /** Uploaded bytes that must outlive `temp/`. */
  quarantineRaw: 'quarantine/raw/',
  /** Sanitised views of what is not public. */
  quarantineView: 'quarantine/view/',
  verification: 'verification/',
  documents: 'verification/documents/',
  /** What lies here is removed after a day, whatever it is. */
  temporary: 'temp/',
  uploads: 'temp/uploads/',
  /** Heads of the audit ledger, outside the database: written once, never removed. */
  audit: 'audit/',
  auditAnchors: 'audit/anchors/',
  auditDrops: 'audit/drops/',
  /** Restores of the database that an admin has accepted in the ledger. */
  auditRestores: 'audit/restores/',
} as const;

/** Each once: every object lies below one of these. */
const ROOT_PREFIXES = [
  PREFIXES.items,
  PREFIXES.profiles,
  PREFIXES.quarantine,
  PREFIXES.verification,
  PREFIXES.temporary,
  PREFIXES.audit,
] as const;
/** The edge may read here without a signature; everything else is private. */
export const PUBLIC_PREFIXES = [PREFIXES.items, PREFIXES.profiles] as const;
/** The edge may read here with a signature. */
export const SIGNED_PREFIX = PREFIXES.quarantineView;
/** Uploaded bytes, identity documents and the heads of the audit ledger: nobody but the service. */
export const PRIVATE_PREFIXES = [
  PREFIXES.temporary,
  PREFIXES.quarantineRaw,
  PREFIXES.verification,
  PREFIXES.audit,
] as const;
/** Kept a second time in the other region: all but what is gone within a day anyway. */
export const REPLICATED_PREFIXES = ROOT_PREFIXES.filter((prefix) => prefix !== PREFIXES.temporary);
/**
 * Where every object is named by a row: one that is not named there is unused. What lies elsewhere (uploads and their
 * parts, anchors of the audit ledger) goes by rules of its own.
 */
export const ROW_NAMED_PREFIXES = [
  PREFIXES.items,
  PREFIXES.profiles,
  PREFIXES.quarantine,
  PREFIXES.documents,
] as const;
/** Where the service writes: what rows name, what is on its way, and what of the audit ledger lies outside the database. */
export const WRITTEN_PREFIXES = [...ROW_NAMED_PREFIXES, PREFIXES.temporary, PREFIXES.audit] as const;

/** The tag of an object below a public prefix that nobody shall read there any more: the CDN is refused. */
export const WITHHELD = { name: 'localex-withheld', value: 'yes' } as const;

/** Whether who has the address may read it. */
export function isPublicKey(key: string): boolean {
  return PUBLIC_PREFIXES.some((prefix) => key.startsWith(prefix));
}
/** Whether it is a sanitised view, which the edge gives for a signature. */
export function isSignedKey(key: string): boolean {
  return key.startsWith(SIGNED_PREFIX);
}
/** Whether the rows decide if there is such an object. */
export function isRowNamed(key: string): boolean {
  return ROW_NAMED_PREFIXES.some((prefix) => key.startsWith(prefix));
}
/** Whether a CDN serves it to somebody. Documents and uploads it never does. */
export function isServedKey(key: string): boolean {
  return isPublicKey(key) || isSignedKey(key);
}
export function isTemporaryKey(key: string): boolean {
  return key.startsWith(PREFIXES.temporary);
}
export function isQuarantineKey(key: string): boolean {
  return key.startsWith(PREFIXES.quarantine);
}
/** Whether it is an identity document, encrypted. */
export function isDocumentKey(key: string): boolean {
  return key.startsWith(PREFIXES.documents);
}
/** Whether it is what somebody uploaded, as it came. */
export function isUploadedKey(key: string): boolean {
  return key.startsWith(PREFIXES.uploads) || key.startsWith(PREFIXES.quarantineRaw);
}

/**
 * Checks a key before any driver sees it. Throws INVALID_KEY for an empty or overlong key (S3: 1,024 bytes),
 * empty, "." or ".." segments, a leading or trailing slash, and any byte outside a narrow ASCII set
 * (no NUL, backslash, percent, control or non-ASCII characters, so that no two spellings name one object).
 */
export function objectKey(value: string): ObjectKey {
  if (!isObjectKey(value))
    throw new StorageError('INVALID_KEY', 'The object key is not valid.', {
      details: { key: value.slice(0, 200) },
    });
  return value;
}

export function isObjectKey(value: string): value is ObjectKey {
  if (value.length === 0 || value.length > MAX_KEY_BYTES) return false;
  return value.split('/').every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..');
}

/** A prefix to list by: a key, or the beginning of one; may be empty or end in "/". Throws INVALID_KEY. */
export function keyPrefix(value: string): string {
  const trimmed = value.endsWith('/') ? value.slice(0, -1) : value;
  if (value !== '' && !isObjectKey(trimmed))
    throw new StorageError('INVALID_KEY', 'The prefix is not valid.');
  return value;
}

export interface PublicKeyParts {
  readonly kind: Exclude<FileKind, 'verification_document'>;
  /** The item of an item photo, the user of a profile photo. */
  readonly scope: ItemId | UserId;
  readonly variant: VariantName;
  readonly fileId: FileId;
  readonly hash12: string;
  readonly format: OutputFormat;
}

/** `items/{variant}/{itemId}/{fileId}-{hash12}.{ext}` or `profiles/{variant}/{userId}/…` */
export function publicKey(parts: PublicKeyParts): ObjectKey {
  const root = parts.kind === 'item_photo' ? PREFIXES.items : PREFIXES.profiles;
  return objectKey(
    `${root}${parts.variant}/${parts.scope}/${parts.fileId}-${parts.hash12}.${extensionOf(parts.format)}`,
  );
}

/** Reads a public key back; null when it is not one. */
export function parsePublicKey(key: string): PublicKeyParts | null {
  const [root, variant, scope, name, ...rest] = key.split('/');
  const kind =
    `${root}/` === PREFIXES.items ? 'item_photo' : `${root}/` === PREFIXES.profiles ? 'profile_photo' : null;
  const variantName = VARIANTS.find((known) => known === variant);
  const file = /^([0-9a-f-]{36})-([0-9a-f]{12})\.([a-z]+)$/.exec(name ?? '');
  if (kind === null || variantName === undefined || scope === undefined || file === null || rest.length > 0)
    return null;
  const [, id = '', hash12 = '', extension = ''] = file;
  const format = formatOfExtension(extension);
  const owner = kind === 'item_photo' ? (isItemId(scope) ? scope : null) : isUserId(scope) ? scope : null;
  if (!isFileId(id) || format === null || owner === null) return null;
  return { kind, scope: owner, variant: variantName, fileId: id, hash12, format };
}

/** The photo that a path below the CDN's address shows, with any extension that a URL has; null when it is no photo's. */
export function fileIdOfPath(path: string): FileId | null {
  const key = path.endsWith('.auto') ? `${path.slice(0, -'auto'.length)}jpg` : path;
  return parsePublicKey(key)?.fileId ?? null;
}

export function uploadKey(id: FileId): ObjectKey {
  return objectKey(`${PREFIXES.uploads}${id}`);
}
/** The file that a key of {@link uploadKey} belongs to; null when it is another key. */
export function parseUploadKey(key: string): FileId | null {
  const id = key.slice(PREFIXES.uploads.length);
  return isFileId(id) && uploadKey(id) === key ? id : null;
}
/** What a reservation has below its upload: parts, and bytes that were taken over. */
export function belowUpload(id: FileId): string {
  return `${uploadKey(id)}/`;
}
/** A part of a resumable upload, by the offset of its first byte. In order of keys they are in order of bytes. */
export function partKey(id: FileId, offset: number): ObjectKey {
  return objectKey(`${belowUpload(id)}${String(offset).padStart(OFFSET_DIGITS, '0')}`);
}
/** The offset in a key of {@link partKey}; null when it is another key. */
export function partOffset(id: FileId, key: string): number | null {
  const offset = key.startsWith(belowUpload(id)) ? key.slice(belowUpload(id).length) : '';
  return /^\d{12}$/.test(offset) ? Number(offset) : null;
}
/**
 * Uploaded bytes copied to where no signed form of ours reaches. `attempt` (letters and digits) is another for each
 * copy, so that none is ever replaced.
 */
export function receivedKey(id: FileId, attempt: string): ObjectKey {
  return objectKey(`${receivedPrefix(id)}${attempt}`);
}
export function receivedPrefix(id: FileId): string {
  return `${belowUpload(id)}received-`;
}
export function isReceivedKey(id: FileId, key: string): key is ObjectKey {
  return key.startsWith(receivedPrefix(id)) && isObjectKey(key);
}
export function quarantineRawKey(id: FileId): ObjectKey {
  return objectKey(`${PREFIXES.quarantineRaw}${id}`);
}
export function quarantineViewKey(id: FileId, hash12: string, format: OutputFormat): ObjectKey {
  return objectKey(`${PREFIXES.quarantineView}${id}-${hash12}.${extensionOf(format)}`);
}
/** Every sanitised view of a file, as a pattern of the CDN. */
export function quarantineViewPattern(id: FileId): string {
  return `${PREFIXES.quarantineView}${id}-*`;
}
/**
 * Where a public original lies that outlives its photo's publicity as evidence; null for what is no public original. It
 * has the hash of the original, so that it is the key of the view, too, where that is a copy of the original.
 */
export function evidenceKey(key: string): ObjectKey | null {
  const parts = parsePublicKey(key);
  return parts?.variant === 'original' ? quarantineViewKey(parts.fileId, parts.hash12, parts.format) : null;
}
export function documentKey(owner: UserId, id: FileId): ObjectKey {
  return objectKey(`${PREFIXES.documents}${owner}/${id}.enc`);
}
/** The path of the mutable alias of a user's present profile photo, below `/cdn/`. */
export function profileAlias(owner: UserId): string {
  return `${PREFIXES.profiles}thumbnail/${owner}/current`;
}

/**
 * Where a hash of the audit ledger's chain is kept outside the database. The name says all: listing them in order tells
 * where the chain stood, without reading one.
 */
export function auditAnchorKey(seq: number, hash: string): ObjectKey {
  return objectKey(`${PREFIXES.auditAnchors}${String(seq).padStart(SEQ_DIGITS, '0')}-${hash}.json`);
}
/** Where the chain stood when the entries of a month, `2026-11`, were dropped. */
export function auditDropKey(month: string, seq: number, hash: string): ObjectKey {
  return objectKey(`${PREFIXES.auditDrops}${month}-${String(seq).padStart(SEQ_DIGITS, '0')}-${hash}.json`);
}
/** Reads the key of an anchor back, of either kind; null when it is none. */
export function parseAuditKey(key: string): { seq: number; hash: string } | null {
  const match = /^audit\/(?:anchors\/|drops\/\d{4}-\d{2}-)(\d{16})-([0-9a-f]{64})\.json$/.exec(key);
  const [, seq, hash] = match ?? [];
  return seq === undefined || hash === undefined ? null : { seq: Number(seq), hash };
}
/** What an admin accepted when the chain stood at `seq`; `sha256` is that of the object, so that it says what it said. */
export function auditRestoreKey(seq: number, sha256: string): ObjectKey {
  return objectKey(`${PREFIXES.auditRestores}${String(seq).padStart(SEQ_DIGITS, '0')}-${sha256}.json`);
}
/** Reads a key of {@link auditRestoreKey} back; null when it is none. */
export function parseAuditRestoreKey(key: string): { seq: number; sha256: string } | null {
  const [, seq, sha256] = /^audit\/restores\/(\d{16})-([0-9a-f]{64})\.json$/.exec(key) ?? [];
  return seq === undefined || sha256 === undefined ? null : { seq: Number(seq), sha256 };
}
