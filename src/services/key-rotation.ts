import { v7 } from 'uuid';
import { recordAccess } from '../db/access-log.ts';
import { countByWrappingKey } from '../db/document-keys.ts';
import { insertRun, listRuns } from '../db/runs.ts';
import type { Database } from '../db/schema.ts';
import { isOver } from '../domain/runs.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyVault, WrappingKey } from '../ports/key-vault.ts';
import type { Log } from '../ports/log.ts';

export interface KeyRotationDeps {
  readonly db: Database;
  readonly vault: KeyVault;
  readonly clock: Clock;
  readonly log: Log;
}

export interface KeyPolicy {
  /** How long a key wraps. */
  readonly rotationDays: number;
  /** How old a key becomes. */
  readonly lifetimeDays: number;
}

/** Who acts where nobody asked. */
export const SCHEDULE = 'schedule';
const DAY_MS = 86_400_000;

/**
 * What makes a deleted document unreadable in old backups too: the row of its key is in them, but the key that wrapped
 * the row is destroyed when it is `lifetimeDays` old, so a backup that is older opens nothing. One that is younger than
 * `lifetimeDays - rotationDays` opens everything.
 *
 * Makes a new key when the current one has wrapped for long enough, starts a run that re-wraps what older keys wrap, and
 * ends keys whose time is over. A key that a document still needs is never ended, however old.
 */
export async function keepKeys(deps: KeyRotationDeps, policy: KeyPolicy): Promise<void> {
  const { vault } = deps;
  if (!vault.capabilities.supportsRotation) return;
  const current = (await vault.wrappingKeys()).find((key) => key.isCurrent);
  if (current === undefined || ageDays(deps, current) >= policy.rotationDays) await rotateKey(deps, SCHEDULE);
  await requestRewrap(deps, SCHEDULE);
  const endsAt = policy.lifetimeDays - vault.capabilities.destroyDelayDays;
  await destroyUnused(deps, SCHEDULE, (key) => ageDays(deps, key) >= endsAt);
}

/** Makes a new current key, and an entry of it. */
export async function rotateKey({ db, vault, log }: KeyRotationDeps, userId: string): Promise<WrappingKey> {
  const key = await vault.rotate();
  await recordAccess(db, { userId, action: 'keys.rotate', fileId: null, details: { keyId: key.id } });
  log.info({ keyId: key.id }, 'a new wrapping key was made');
  return key;
}

/** Starts a run that re-wraps, unless one is on its way or there is nothing to re-wrap. */
async function requestRewrap({ db, vault }: KeyRotationDeps, requestedBy: string): Promise<void> {
  const keys = await vault.wrappingKeys();
  const current = keys.find((key) => key.isCurrent);
  const counts = await countByWrappingKey(db);
  if ([...counts.keys()].every((keyId) => keyId === current?.id)) return;
  const [last] = await listRuns(db, { kind: 'rewrap-keys', limit: 1 });
  if (last !== undefined && !isOver(last.state)) return;
  await insertRun(db, { id: v7(), kind: 'rewrap-keys', dryRun: false, params: {}, requestedBy });
}

/** Ends the keys that are not current and whose turn it is; those that still wrap documents are reported instead. */
export async function destroyUnused(
  { db, vault, log }: KeyRotationDeps,
  userId: string,
  isDue: (key: WrappingKey) => boolean,
): Promise<readonly string[]> {
  const destroyed: string[] = [];
  for (const key of await vault.wrappingKeys()) {
    if (key.isCurrent || !isDue(key)) continue;
    // Counted after it stopped being current: nothing comes to be wrapped with it any more.
    const documents = (await countByWrappingKey(db)).get(key.id) ?? 0;
    if (documents > 0) {
      log.warn({ keyId: key.id, documents }, 'a wrapping key is due to be destroyed and still needed');
      continue;
    }
    await recordAccess(db, { userId, action: 'keys.destroy', fileId: null, details: { keyId: key.id } });
    await vault.destroy(key.id);
    log.info({ keyId: key.id }, 'a wrapping key was destroyed');
    destroyed.push(key.id);
  }
  return destroyed;
}

function ageDays({ clock }: KeyRotationDeps, key: WrappingKey): number {
  return (clock.now().getTime() - key.createdAt.getTime()) / DAY_MS;
}
