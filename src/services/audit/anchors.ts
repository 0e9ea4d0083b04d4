import { z } from 'zod';
import { CHAIN_START } from '../../domain/audit-chain.ts';
import {
  AUDIT_ANCHORS,
  AUDIT_DROPS,
  auditAnchorKey,
  type ObjectKey,
  parseAuditKey,
} from '../../domain/keys.ts';
import { isStorageError } from '../../domain/errors.ts';
import { insertAnchor, lastAnchoredSeq } from '../../db/audit/anchors.ts';
import { type ChainPlace, chainHead } from '../../db/audit/sealing.ts';
import type { Db } from '../../db/schema.ts';
import type { Log } from '../../ports/log.ts';
import type { StorageService } from '../storage.service.ts';

export interface AuditDeps {
  readonly db: Db;
  readonly storage: Pick<StorageService, 'uploadFile' | 'downloadFile' | 'listFiles'>;
  readonly log: Log;
}

/** Where verifying begins. */
export interface ChainBase extends ChainPlace {
  /** Seals behind it whose entries were dropped with their month: their hashes, by place. */
  readonly beyond: ReadonlyMap<number, string>;
  /** The anchor that says so; null for the beginning of the chain. */
  readonly key: string | null;
}

/**
 * Writes where the chain stands to the object store, and to the log: whoever can change the database does not thereby
 * change those. Nothing is written while nothing was sealed since the last time.
 */
export async function anchorHead(deps: AuditDeps): Promise<ChainPlace | null> {
  const head = await chainHead(deps.db);
  if (head.seq <= (await lastAnchoredSeq(deps.db))) return null;
  const hash = hex(head.hash);
  const key = auditAnchorKey(head.seq, hash);
  await putAnchor(deps, key, { kind: 'head', seq: head.seq, hash });
  await insertAnchor(deps.db, { key, kind: 'head', seq: head.seq, hash: head.hash, month: null });
  deps.log.info({ seq: head.seq, hash }, 'audit ledger anchored');
  return head;
}

/** An anchor is written once: the same again is a success, another content under its key cannot be. */
export async function putAnchor(
  { storage }: Pick<AuditDeps, 'storage'>,
  key: ObjectKey,
  content: { readonly kind: 'head' | 'drop'; readonly seq: number; readonly hash: string } & Record<
    string,
    unknown
  >,
): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ version: 1, ...content })}\n`);
  try {
    await storage.uploadFile(body, {
      key,
      contentType: 'application/json',
      access: 'private',
      ifNoneMatch: true,
    });
  } catch (error) {
    if (!isStorageError(error, 'ALREADY_EXISTS')) throw error;
  }
}

/** Hashes by place of the anchors that lie in the store at `from` and behind it, and the last of them. */
export async function readAnchors(
  { storage }: Pick<AuditDeps, 'storage'>,
  from: number,
): Promise<{ hashes: ReadonlyMap<number, string>; last: { seq: number; hash: string } | null }> {
  const hashes = new Map<number, string>();
  let last: { seq: number; hash: string } | null = null;
  const before = from === 0 ? undefined : auditAnchorKey(from - 1, 'g');
  for await (const { key } of storage.listFiles(
    AUDIT_ANCHORS,
    before === undefined ? {} : { after: before },
  )) {
    const place = parseAuditKey(key);
    if (place === null) continue;
    hashes.set(place.seq, place.hash);
    last = place;
  }
  return { hashes, last };
}

const Drop = z.object({
  seq: z.int(),
  hash: z.hex().length(64),
  beyond: z.array(z.object({ seq: z.int(), hash: z.hex().length(64) })),
});

/** Where the chain begins by now: behind the last month that was dropped, as the object store has it. */
export async function readBase({ storage }: Pick<AuditDeps, 'storage'>): Promise<ChainBase> {
  let key: string | null = null;
  for await (const object of storage.listFiles(AUDIT_DROPS)) key = object.key;
  if (key === null) return { seq: 0, hash: CHAIN_START, beyond: new Map(), key };
  const { body } = await storage.downloadFile(key);
  const drop = Drop.parse(JSON.parse(Buffer.concat(await body.toArray()).toString('utf8')));
  return {
    seq: drop.seq,
    hash: Buffer.from(drop.hash, 'hex'),
    beyond: new Map(drop.beyond.map(({ seq, hash }) => [seq, hash])),
    key,
  };
}

export function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}
