import { noteTold } from '../../db/object-checks.ts';
import type { RunAction } from '../../domain/runs.ts';
import { isStorageError } from '../../domain/errors.ts';
import type { VariantName } from '../../domain/renditions.ts';
import { readProven } from '../../services/storage/proven.ts';
import type { Search } from '../../services/storage/search-backups.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import type { ExamineOptions } from './examine.ts';
import { isPassing } from './expectation.ts';
import { rebuildVariant } from './rebuild.ts';
import { findCopy, putRight } from './restore.ts';
import { setAside } from './set-aside.ts';
import { isKnown, sightOf, toldOf } from './told.ts';

export interface MendOptions extends Omit<ExamineOptions, 'deep'> {
  /** Find out what would be done; do none of it. */
  readonly dryRun: boolean;
}

/** What the ways to mend one object share. */
export interface Mending {
  readonly damage: Damage;
  /** All that was found of its file. */
  readonly all: readonly Damage[];
  /** What the backups have of it; they are asked once. */
  readonly search: () => Promise<Search>;
}

/** A way to mend an object; null when it is not the one for it. */
type Way = (deps: ScrubDeps, mending: Mending, options: MendOptions) => Promise<RunAction | null>;

/** The first that helps. Copies come before rebuilding: they keep the object's address. */
const WAYS: readonly Way[] = [leaveToPipeline, relabel, restore, rebuild, setAside];

/**
 * Mends what was found of one file, the original first, since renditions are made of it. Resolves to what was done, one
 * action an object; in a dry run, to what would be done.
 */
export async function mend(
  deps: ScrubDeps,
  damages: readonly Damage[],
  options: MendOptions,
): Promise<RunAction[]> {
  const ordered = damages.toSorted((a, b) => Number(isRendition(a)) - Number(isRendition(b)));
  const actions: RunAction[] = [];
  const rebuilt = new Set<string>();
  for (const damage of ordered) {
    const { key, variant } = damage.object;
    if (isRendition(damage) && rebuilt.has(variant?.name ?? '')) {
      actions.push({ action: 'rebuild', subject: key });
      continue;
    }
    const action = await firstThatHelps(deps, damage, damages, options);
    if (action.action === 'rebuild') rebuilt.add(variant?.name ?? '');
    actions.push(action);
  }
  return actions;
}

async function firstThatHelps(
  deps: ScrubDeps,
  damage: Damage,
  all: readonly Damage[],
  options: MendOptions,
): Promise<RunAction> {
  let searched: Promise<Search> | undefined;
  const search = () => (searched ??= findCopy(deps, damage.object, options.signal));
  for (const way of WAYS) {
    const action = await way(deps, { damage, all, search }, options);
    if (action !== null) return action;
  }
  return late(damage);
}

/** Ingest compares an upload with its hash before it reads anything else of it. */
async function leaveToPipeline(_deps: ScrubDeps, { damage }: Mending): Promise<RunAction | null> {
  const { object } = damage;
  return isPassing(object) ? { action: 'leave', subject: object.key } : null;
}

/**
 * The bytes are right, what caches are told of them is not: they are written once more. Those of an archived object cannot be
 * read: it is told once, and left until it has been restored.
 */
async function relabel(
  deps: ScrubDeps,
  { damage }: Mending,
  { dryRun, signal }: MendOptions,
): Promise<RunAction | null> {
  const { object, finding, info } = damage;
  if (finding.kind !== 'mislabelled' || object.variant === null) return null;
  const action = { action: 'relabel', subject: object.key };
  const leave = { action: 'leave', subject: object.key };
  const isLeft = isKnown(damage, deps.clock.now()) && object.told?.startsWith('leave: ') === true;
  if (dryRun) return isLeft ? leave : action;
  try {
    const { bytes } = await readProven(deps.primary, { ...object.variant, key: object.key }, signal);
    return (await putRight(deps, damage, bytes)) ? action : late(damage);
  } catch (error) {
    if (!isStorageError(error, 'OBJECT_ARCHIVED')) throw error;
    const sight = sightOf(finding, info?.etag ?? null);
    if (!isLeft) await noteTold(deps.db, object.key, toldOf(leave, sight));
    return leave;
  }
}

/** From the first backup that has the right bytes. */
async function restore(
  deps: ScrubDeps,
  { damage, search }: Mending,
  { dryRun }: MendOptions,
): Promise<RunAction | null> {
  const { copy } = await search();
  if (copy === null) return null;
  const action = { action: 'restore', subject: damage.object.key, details: { from: copy.from } };
  return dryRun || (await putRight(deps, damage, copy.bytes)) ? action : late(damage);
}

async function rebuild(
  deps: ScrubDeps,
  { damage, all }: Mending,
  { dryRun, signal }: MendOptions,
): Promise<RunAction | null> {
  if (!isRendition(damage)) return null;
  const { fileId, fileState, key, variant } = damage.object;
  const name: VariantName = variant?.name ?? 'original';
  if (dryRun) {
    const isHopeless = fileState !== 'ready' || (await isOriginalLost(deps, all, signal));
    return isHopeless ? null : { action: 'rebuild', subject: key };
  }
  const rebuilt = await rebuildVariant(deps, fileId, name, all, signal);
  if (rebuilt === null) return null;
  return rebuilt === 'late' ? late(damage) : { action: 'rebuild', subject: key, details: { under: rebuilt } };
}

async function isOriginalLost(
  deps: ScrubDeps,
  all: readonly Damage[],
  signal: AbortSignal,
): Promise<boolean> {
  const original = all.find((damage) => damage.object.variant?.name === 'original');
  if (original === undefined || original.finding.kind === 'mislabelled') return false;
  return (await findCopy(deps, original.object, signal)).copy === null;
}

function isRendition({ object }: Damage): boolean {
  return object.variant !== null && object.variant.name !== 'original';
}

/** The file moved on while it was looked at: there is nothing to mend any more. */
function late({ object }: Damage): RunAction {
  return { action: 'late', subject: object.key };
}
