import { createHash } from 'node:crypto';
import { recordAccess } from '../../db/access-log.ts';
import { hashesAt, RESTORED } from '../../db/audit/restores.ts';
import { chainHead } from '../../db/audit/sealing.ts';
import { StorageError } from '../../domain/errors.ts';
import { auditRestoreKey } from '../../domain/keys.ts';
import { type Anchor, type ChainBase, hex, readAnchors, readBase } from './anchors.ts';
import { readRestores, type RestorePoint } from './restores.ts';
import { type VerifyDeps, verifyLedger } from './verify.ts';

/** Where the chain stopped following its anchors. */
export interface OpenRestore {
  /** Key of the last anchor that it goes through; null when it goes through none. */
  readonly lastGood: string | null;
  /** Keys of the anchors behind that one which it does not go through. */
  readonly anchors: readonly string[];
}

interface Found {
  readonly base: ChainBase;
  readonly lastGood: Anchor | null;
  readonly anchors: readonly string[];
}

/** What was accepted so far, and what a restore has left to be accepted: null when the chain goes through all anchors. */
export async function listRestores(
  deps: VerifyDeps,
): Promise<{ readonly accepted: readonly RestorePoint[]; readonly open: OpenRestore | null }> {
  const { points, found } = await compare(deps);
  const { anchors, lastGood } = found;
  return {
    accepted: points,
    open: anchors.length === 0 ? null : { lastGood: lastGood?.key ?? null, anchors },
  };
}

/**
 * Accepts that the chain goes on from its last good anchor, behind which a restore of the database has lost rows. Whoever
 * accepts names that anchor, so that nothing is accepted that they have not seen. Written into the object store first,
 * then into the ledger, and logged as an error, to be seen: from the entry's seal on verifying lists these anchors as
 * accepted, and compares all others.
 * Errors: CONFLICT when there is nothing to accept, or rows behind the last good anchor are damaged in another way;
 * VERSION_CONFLICT when another anchor is the last good one; STORAGE_UNAVAILABLE.
 */
export async function acceptRestore(
  deps: VerifyDeps,
  by: string,
  { lastGood, reason }: { readonly lastGood: string | null; readonly reason: string },
): Promise<RestorePoint> {
  const { found } = await compare(deps);
  if (found.anchors.length === 0)
    throw new StorageError(
      'CONFLICT',
      'The ledger goes through all its anchors: there is nothing to accept.',
    );
  if ((found.lastGood?.key ?? null) !== lastGood)
    throw new StorageError(
      'VERSION_CONFLICT',
      'Another anchor is the last one that the ledger goes through.',
    );
  const { seq } = await chainHead(deps.db);
  if (seq < found.base.seq)
    throw new StorageError(
      'CONFLICT',
      'The backup is from before the last month that was dropped: a younger one has to be restored.',
    );
  await assertWhole(deps, found);

  const acceptedAt = new Date().toISOString();
  const said = { acceptedBy: by, acceptedAt, reason, lastGood, anchors: found.anchors };
  const body = Buffer.from(`${JSON.stringify({ version: 1, kind: 'restore', ...said })}\n`);
  const key = auditRestoreKey(seq, createHash('sha256').update(body).digest('hex'));
  await deps.storage.uploadFile(body, {
    key,
    contentType: 'application/json',
    access: 'private',
    ifNoneMatch: true,
  });
  const details = { key, reason, lastGood, anchors: found.anchors };
  await recordAccess(deps.db, { userId: by, action: RESTORED, fileId: null, details });
  // Who holds the database can make a chain that passes: somebody has to see that this was asked for.
  deps.log.error({ by, ...details, alarm: 'ledger restored' }, 'a restore of the audit ledger was accepted');
  return { key, ...said };
}

async function compare(deps: VerifyDeps): Promise<{ points: readonly RestorePoint[]; found: Found }> {
  const base = await readBase(deps);
  const { points, accepted } = await readRestores(deps, base);
  const anchors = await readAnchors(deps, base.seq, accepted);
  const hashes = await hashesAt(
    deps.db,
    anchors.map(({ seq }) => seq),
  );
  const isGood = ({ seq, hash }: Anchor) =>
    seq === base.seq ? hash === hex(base.hash) : hex(hashes.get(seq) ?? Buffer.alloc(0)) === hash;
  const bad = anchors.filter((anchor) => !isGood(anchor));
  const first = bad[0]?.seq ?? Number.MAX_SAFE_INTEGER;
  const lastGood = anchors.findLast((anchor) => anchor.seq < first) ?? null;
  return { points, found: { base, lastGood, anchors: bad.map(({ key }) => key) } };
}

/**
 * A restored chain is whole from its last good anchor on: a row there that does not fit its hash refuses. One whose hashes
 * were made anew from there on is whole, too, and cannot be told from one that was restored and has grown (decision 15).
 */
async function assertWhole(deps: VerifyDeps, { base, lastGood, anchors }: Found): Promise<void> {
  const start = lastGood === null ? base : { seq: lastGood.seq, hash: Buffer.from(lastGood.hash, 'hex') };
  const { problem } = await verifyLedger(deps, {
    from: 'start',
    resume: { start, place: start, outside: null },
    leaveOut: new Set(anchors),
  });
  if (problem !== null)
    throw new StorageError('CONFLICT', `The ledger is damaged in another way, too: ${problem.message}`);
}
