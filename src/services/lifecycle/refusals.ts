import { usageIngestedUntil } from '../../db/views.ts';
import { StorageError } from '../../domain/errors.ts';
import { RETENTION_RULES, type RetentionRule } from '../../domain/retention.ts';
import { isArchiveClass } from '../../domain/storage-class.ts';
import type { LifecycleDeps } from './work.ts';

/**
 * How far behind access logs may be and still be called current: CloudFront delivers most within an hour and may take up
 * to 24 ("Access logs (standard logs)", CloudFront Developer Guide, 2025), and a day passes between two readings.
 */
const LOGS_MAY_LAG_MS = 48 * 3_600_000;

/** Rules that are not carried out now, or not wholly, and why. */
export interface Refusal {
  /** By their names. */
  readonly rules: readonly string[];
  /** USAGE_NOT_CURRENT, UNSUPPORTED; where only removing what no row names is refused, CONFLICT or what the store says. */
  readonly code: string;
  readonly message: string;
}

type Deps = Pick<LifecycleDeps, 'db' | 'clock' | 'viewsComeFrom' | 'capabilities'>;

/** Every rule that must not be carried out as things are; each is named once, with the first reason. */
export async function refusals(deps: Deps): Promise<readonly Refusal[]> {
  const { supportsStorageClasses, supportsArchive } = deps.capabilities;
  const unclassed = supportsStorageClasses ? [] : RETENTION_RULES.filter(isMove);
  const noWayBack = supportsArchive ? [] : RETENTION_RULES.filter((rule) => isArchiving(rule));
  const unseen = await whyViewsAreUnknown(deps);
  const reasons: readonly { error: StorageError | null; rules: readonly RetentionRule[] }[] = [
    { error: NO_CLASSES, rules: unclassed },
    { error: NO_WAY_BACK, rules: noWayBack },
    { error: unseen, rules: RETENTION_RULES.filter(goesByViews) },
  ];
  const named = new Set<string>();
  return reasons.flatMap(({ error, rules }) => {
    const names = rules.map((rule) => rule.id).filter((name) => !named.has(name));
    if (error === null || names.length === 0) return [];
    for (const name of names) named.add(name);
    return [{ rules: names, code: error.code, message: error.message }];
  });
}

const NO_CLASSES = new StorageError('UNSUPPORTED', 'This store has no storage classes, so nothing is moved.');
const NO_WAY_BACK = new StorageError(
  'UNSUPPORTED',
  'This store cannot bring back what is archived, so nothing is archived.',
);

async function whyViewsAreUnknown(deps: Deps): Promise<StorageError | null> {
  if (deps.viewsComeFrom === 'edge') return null;
  const until = await usageIngestedUntil(deps.db);
  if (until !== null && deps.clock.now().getTime() - until.getTime() <= LOGS_MAY_LAG_MS) return null;
  const known =
    until === null ? 'No access log was read yet' : `Access logs are read up to ${until.toISOString()}`;
  return new StorageError(
    'USAGE_NOT_CURRENT',
    `${known}: photos that people look at could be taken for forgotten, so none is moved.`,
  );
}

function isMove({ action }: RetentionRule): boolean {
  return action.kind === 'move';
}

function isArchiving({ action }: RetentionRule): boolean {
  return action.kind === 'move' && isArchiveClass(action.to);
}

function goesByViews({ clock }: RetentionRule): boolean {
  return clock === 'activity' || clock === 'use';
}
