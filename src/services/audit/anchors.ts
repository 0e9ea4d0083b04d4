import { z } from 'zod';
import { CHAIN_START } from '../../domain/audit-chain.ts';
import { auditAnchorKey, type ObjectKey, parseAuditKey, PREFIXES } from '../../domain/keys.ts';
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

/** A place and hash of the chain that lie in the object store, outside the database. */
export interface Anchor {
  readonly key: string;
  readonly seq: number;
  readonly hash: string;
}

/** Anchors that lie in the store at the place `from` and behind it, in order, without those whose keys are in `but`. */
export async function readAnchors(
  { storage }: Pick<AuditDeps, 'storage'>,
  from: number,
  but: ReadonlySet<string> = new Set(),
): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  const after = from === 0 ? {} : { after: auditAnchorKey(from - 1, 'g') };
  for await (const { key } of storage.listFiles(PREFIXES.auditAnchors, after)) {
    const place = parseAuditKey(key);
    if (place !== null && !but.has(key)) anchors.push({ key, ...place });
  }
  return anchors;
}

const Drop = z.object({
  seq: z.int(),
  hash: z.hex().length(64),
  beyond: z.array(z.object({ seq: z.int(), hash: z.hex().length(64) })),
});

/** Where the chain begins by now: behind the last month that was dropped, as the object store has it. */
export async function readBase({ storage }: Pick<AuditDeps, 'storage'>): Promise<ChainBase> {
  let key: string | null = null;
  for await (const object of storage.listFiles(PREFIXES.auditDrops)) key = object.key;
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
