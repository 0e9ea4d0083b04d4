import { listInactiveOriginals, listOldDocuments, listUnusedProfileObjects } from '../db/lifecycle.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import type { FileId } from '../domain/ids.ts';
import type { ServiceDeps } from './deps.ts';
import { abortAbandoned } from './lifecycle/abandoned.ts';
import { expireRefused, expireTemporary, keepHeldUploads } from './lifecycle/expire.ts';
import { getHold, type LegalHold, releaseHold, setHold } from './lifecycle/holds.ts';
import { movePart } from './lifecycle/move-class.ts';
import { type Refusal, refusals } from './lifecycle/refusals.ts';
import { type StorageReport, storageReport } from './lifecycle/report.ts';
import { reconcileParts, reconcileReplicaParts } from './lifecycle/reconcile.ts';
import { whyUnnamedStay } from './lifecycle/unnamed.ts';
import {
  type Checkpoint,
  type LifecycleDeps,
  type LifecycleWork,
  type Part,
  type PartsCursor,
  runParts,
  type Tallies,
} from './lifecycle/work.ts';

export type { LegalHold } from './lifecycle/holds.ts';
export type { Refusal } from './lifecycle/refusals.ts';
export type { StorageReport } from './lifecycle/report.ts';
export type { Checkpoint, PartsCursor } from './lifecycle/work.ts';

/** How to carry out the policies. Everything may be left out. */
export interface LifecycleOptions extends Partial<Omit<LifecycleWork, 'unnamedStay'>> {
  /** Where to go on, as a checkpoint left it. */
  readonly cursor?: PartsCursor | null;
  /** Called after each page. */
  readonly checkpoint?: Checkpoint;
}

export interface LifecycleResult {
  /** What became of what each rule looked at, by the rule's name. */
  readonly rules: Tallies;
  /**
   * Rules that were not carried out, and why: views are not known, or the store cannot do it. Those that reconcile were, but
   * for removing anything, while the database may be older than the store.
   */
  readonly refused: readonly Refusal[];
}

/**
 * The plan's lifecycle of stored bytes, by the one table of retention rules (`domain/retention.ts`). Every function is
 * bounded page by page, may be stopped anywhere and done again, and re-checks its premise under the file's row lock.
 * Errors besides those named: ABORTED by its signal, STORAGE_UNAVAILABLE when the store does not answer.
 */
export interface LifecycleService {
  /**
   * Moves originals of listings without activity for twelve months, and documents after seven years, to the archive.
   * Renditions stay readable. Nothing moves that would not pay, and nothing under legal hold.
   */
  archiveOldFiles(options?: LifecycleOptions): Promise<LifecycleResult>;
  /** Removes temporary bytes after a day, uploads that nobody finished, and refused photos when appeals are over. */
  deleteExpiredFiles(options?: LifecycleOptions): Promise<LifecycleResult>;
  /**
   * Removes objects that no row names, unless the database may have been restored; reports rows without object, and moves
   * unused profile photos to a cheaper class.
   */
  optimizeStorage(options?: LifecycleOptions): Promise<LifecycleResult>;
  /** All of them, one after another: what a run does. */
  carryOut(options?: LifecycleOptions): Promise<LifecycleResult>;
  /** What is stored and what it costs. Errors: FORBIDDEN. */
  generateStorageReport(who: Principal): Promise<StorageReport>;

  setHold(who: Principal, id: FileId, reason: string): Promise<LegalHold>;
  releaseHold(who: Principal, id: FileId): Promise<void>;
  getHold(who: Principal, id: FileId): Promise<LegalHold>;
}

const ARCHIVE: readonly Part[] = [
  movePart('item-originals-archive', listInactiveOriginals),
  movePart('documents', listOldDocuments),
];
const EXPIRE: readonly Part[] = [keepHeldUploads, abortAbandoned, expireTemporary, expireRefused];
const RECONCILE: readonly Part[] = [...reconcileParts, ...reconcileReplicaParts];
const OPTIMIZE: readonly Part[] = [
  movePart('profile-photos', listUnusedProfileObjects, (candidate) => candidate.key),
  ...RECONCILE,
];

export function createLifecycleService(
  deps: LifecycleDeps & Pick<ServiceDeps, 'deliverNow'>,
): LifecycleService {
  const carryOut = async (
    parts: readonly Part[],
    options: LifecycleOptions = {},
  ): Promise<LifecycleResult> => {
    const { dryRun = false, runId = null, unattended = false } = options;
    const { signal = new AbortController().signal } = options;
    const names = new Set(parts.map((part) => part.name));
    const refused = (await refusals(deps)).filter(({ rules }) => rules.some((rule) => names.has(rule)));
    const isRefused = ({ name }: Part) => refused.some(({ rules }) => rules.includes(name));
    const allowed = parts.map((part) => (isRefused(part) ? skipped(part) : part));
    const reconciling = RECONCILE.filter((part) => parts.includes(part)).map(({ name }) => name);
    const stay = reconciling.length === 0 ? null : await whyUnnamedStay(deps);
    const work = { dryRun, runId, signal, unattended, unnamedStay: stay !== null };
    const rules = await runParts(deps, allowed, work, options.cursor ?? null, options.checkpoint);
    return { rules, refused: stay === null ? refused : [...refused, { rules: reconciling, ...stay }] };
  };

  return {
    archiveOldFiles: (options) => carryOut(ARCHIVE, options),
    deleteExpiredFiles: (options) => carryOut(EXPIRE, options),
    optimizeStorage: (options) => carryOut(OPTIMIZE, options),
    carryOut: (options) => carryOut([...EXPIRE, ...ARCHIVE, ...OPTIMIZE], options),
    async generateStorageReport(who) {
      assertMayAdminister(who, 'read_report');
      return storageReport({ db: deps.db, now: deps.clock.now() });
    },
    setHold: (who, id, reason) => setHold(deps, who, id, reason),
    releaseHold: (who, id) => releaseHold(deps, who, id),
    getHold: (who, id) => getHold(deps, who, id),
  };
}

/** Keeps its place among the parts, so that a cursor means the same the next time. */
function skipped({ name }: Part): Part {
  return { name, page: async () => ({ next: null, outcomes: [] }) };
}
