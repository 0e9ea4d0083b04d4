import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { listRestoreEntries, type RestoreEntry } from '../../db/audit/restores.ts';
import { type ObjectKey, parseAuditRestoreKey, PREFIXES } from '../../domain/keys.ts';
import type { AuditDeps, ChainBase } from './anchors.ts';

const Accepted = z.object({
  acceptedBy: z.string(),
  acceptedAt: z.string(),
  reason: z.string(),
  lastGood: z.string().nullable(),
  anchors: z.array(z.string()).readonly(),
});

/** A restore of the database that an admin has accepted: the ledger goes on from an earlier place, and that stays known. */
export interface RestorePoint {
  /** Of the object that says so; the ledger's entry names it. */
  readonly key: string;
  readonly acceptedBy: string;
  readonly acceptedAt: string;
  readonly reason: string;
  /** Key of the last anchor that the restored chain goes through; null when it goes through none. */
  readonly lastGood: string | null;
  /** Keys of the anchors behind it, whose rows the restore has lost. */
  readonly anchors: readonly string[];
}

export interface Restores {
  /** Those that both the object store and a sealed entry of the ledger know. */
  readonly points: readonly RestorePoint[];
  /** Keys of all anchors that they accept. */
  readonly accepted: ReadonlySet<string>;
  /** Entries that name an object which is not there: nobody asked the service for these. */
  readonly unfounded: readonly RestoreEntry[];
}

/**
 * Restores that were accepted. The object store alone is believed, where who can write the database cannot write; the
 * entry makes the acceptance a part of the chain. One whose month was dropped needs none any more.
 */
export async function readRestores(
  deps: Pick<AuditDeps, 'db' | 'storage'>,
  base: ChainBase,
): Promise<Restores> {
  const entries = await listRestoreEntries(deps.db);
  const named = new Set(entries.map(({ key }) => key));
  const stored = new Set<string>();
  const points: RestorePoint[] = [];
  for await (const { key } of deps.storage.listFiles(PREFIXES.auditRestores)) {
    const point = await readPoint(deps, key);
    if (point === null) continue;
    stored.add(key);
    if (named.has(key) || point.seq < base.seq) points.push(point.point);
  }
  return {
    points,
    accepted: new Set(points.flatMap(({ anchors }) => anchors)),
    unfounded: entries.filter(({ key }) => !stored.has(key)),
  };
}

/** Null when it is not what its name says, or not ours: somebody has put it there. */
async function readPoint(
  { storage }: Pick<AuditDeps, 'storage'>,
  key: ObjectKey,
): Promise<{ readonly seq: number; readonly point: RestorePoint } | null> {
  const name = parseAuditRestoreKey(key);
  if (name === null) return null;
  const { body } = await storage.downloadFile(key);
  const bytes = await buffer(body);
  if (createHash('sha256').update(bytes).digest('hex') !== name.sha256) return null;
  const said = Accepted.safeParse(jsonOf(bytes));
  return said.success ? { seq: name.seq, point: { key, ...said.data } } : null;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
