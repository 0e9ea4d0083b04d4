import { insertActions } from '../../db/runs.ts';
import type { Db } from '../../db/schema.ts';
import { type ErrorCode, isStorageError, StorageError } from '../../domain/errors.ts';
import type { RunAction, RunProgress } from '../../domain/runs.ts';
import type { ObjectStore, ObjectStoreCapabilities } from '../../ports/object-store.ts';
import type { ServiceDeps } from '../deps.ts';
import { inLanes } from '../in-lanes.ts';
import type { StorageService } from '../storage.service.ts';

export interface LifecycleDeps extends Pick<ServiceDeps, 'db' | 'storage' | 'clock' | 'log'> {
  /** Where views come from: an edge of ours tells of each, a CDN writes logs that are read later. */
  readonly viewsComeFrom: 'edge' | 'logs';
  /** What the store can do: nothing goes where it cannot go, or from where it cannot come back. */
  readonly capabilities: Pick<ObjectStoreCapabilities, 'supportsStorageClasses' | 'supportsArchive'>;
  /** What a copy in another region has, where there is one. `storage` deletes there, too. */
  readonly replica?: Pick<StorageService, 'listFiles'>;
  /** Removes what uploads that died left in the store. */
  readonly sweepIncomplete: ObjectStore['sweepIncomplete'];
}

/** How one function of the lifecycle is carried out. */
export interface LifecycleWork {
  /** Finds out what would be done, and does none of it. */
  readonly dryRun: boolean;
  /** The run in whose name it is recorded, or null. */
  readonly runId: string | null;
  readonly signal: AbortSignal;
  /** Nobody asked for it: what looks like a mistake of an operator is left for a run that somebody starts. */
  readonly unattended: boolean;
  /** The database may be older than the store: objects that no row names are left, whoever asked. */
  readonly unnamedStay: boolean;
}

/** Why something that a rule looked at stayed as it is. */
export type LeftReason =
  | 'moving it would not pay'
  | 'changed meanwhile'
  | 'object missing'
  | 'too many at once'
  | 'may be newer than the database'
  | 'failed';

export interface Tally {
  /** Looked at. */
  readonly seen: number;
  /** Done; of a dry run, to be done. */
  readonly done: number;
  /** Of what was done. */
  readonly bytes: number;
  /** US dollars over the time that the objects are expected to stay, all costs of moving counted. */
  readonly savedUsd: number;
  readonly left: Readonly<Partial<Record<LeftReason, number>>>;
}

export const NOTHING: Tally = { seen: 0, done: 0, bytes: 0, savedUsd: 0, left: {} };

/** What became of one thing. */
export type Outcome =
  | { readonly action: RunAction; readonly bytes: number; readonly savedUsd?: number }
  | { readonly left: LeftReason }
  /** Looked at, and nothing to be done. */
  | null;

/** One page of one part: bounded, and harmless to do again. */
export interface PartPage {
  /** Where to go on; null when the part is done. */
  readonly next: string | null;
  readonly outcomes: readonly Outcome[];
}

/** One rule at work, page by page. */
export interface Part {
  readonly name: string;
  page(deps: LifecycleDeps, work: LifecycleWork, after: string | null): Promise<PartPage>;
}

/** Where a run of several parts stands. */
export interface PartsCursor {
  readonly part: number;
  readonly after: string | null;
  readonly tallies: Readonly<Record<string, Tally>>;
}

export type Checkpoint = (
  cursor: PartsCursor,
  progress: RunProgress,
  actions: readonly RunAction[],
) => Promise<void>;

export type Tallies = Readonly<Record<string, Tally>>;

const NO_CHECKPOINT: Checkpoint = async () => undefined;

/**
 * Does parts one after another from where the cursor stands, with a checkpoint after each page. What is really done
 * records itself in its own transaction; what a dry run would do is recorded with its page. Errors: ABORTED.
 */
export async function runParts(
  deps: LifecycleDeps,
  parts: readonly Part[],
  work: LifecycleWork,
  from: PartsCursor | null = null,
  checkpoint: Checkpoint = NO_CHECKPOINT,
): Promise<Tallies> {
  let tallies: Tallies = from?.tallies ?? {};
  for (const [index, part] of parts.entries()) {
    if (index < (from?.part ?? 0)) continue;
    let after: string | null = index === from?.part ? from.after : null;
    do {
      if (work.signal.aborted) throw new StorageError('ABORTED');
      const page = await part.page(deps, work, after);
      tallies = { ...tallies, [part.name]: addTo(tallies[part.name] ?? NOTHING, page.outcomes) };
      after = page.next;
      const cursor = { part: after === null ? index + 1 : index, after, tallies };
      const done = Object.values(tallies).reduce((sum, tally) => sum + tally.seen, 0);
      const planned = page.outcomes.flatMap((outcome) =>
        work.dryRun && outcome !== null && 'action' in outcome ? [outcome.action] : [],
      );
      await checkpoint(cursor, { done, total: null, note: part.name }, planned);
    } while (after !== null);
  }
  return tallies;
}

/** Records what was done, in the transaction that does it. */
export async function record(db: Db, work: LifecycleWork, action: RunAction): Promise<void> {
  if (work.runId !== null) await insertActions(db, work.runId, [action]);
}

/**
 * Does something for each, at most `lanes` at a time. One that fails for good is counted and reported, and does not keep
 * the others from their turn; what may pass ends the page, to be tried again, once nothing of it is at work any more.
 */
export async function eachOf<T>(
  deps: LifecycleDeps,
  things: readonly T[],
  lanes: number,
  work: (thing: T) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await inLanes(things, lanes, async (thing) => {
    try {
      outcomes.push(await work(thing));
    } catch (error) {
      if (isStorageError(error) && (error.retryable || error.code === 'ABORTED')) throw error;
      if (isStorageError(error) && PREMISE_GONE.has(error.code)) outcomes.push({ left: 'changed meanwhile' });
      else {
        deps.log.warn({ err: error, subject: thing }, 'the lifecycle could not deal with something');
        outcomes.push({ left: 'failed' });
      }
    }
  });
  return outcomes;
}

/** Somebody was faster: a hold, a delete, a change. */
const PREMISE_GONE: ReadonlySet<ErrorCode> = new Set([
  'LEGAL_HOLD',
  'VERSION_CONFLICT',
  'ILLEGAL_TRANSITION',
  'CONFLICT',
]);

function addTo(tally: Tally, outcomes: readonly Outcome[]): Tally {
  const left: Partial<Record<LeftReason, number>> = { ...tally.left };
  let { done, bytes, savedUsd } = tally;
  for (const outcome of outcomes) {
    if (outcome === null) continue;
    if ('left' in outcome) left[outcome.left] = (left[outcome.left] ?? 0) + 1;
    else {
      done += 1;
      bytes += outcome.bytes;
      savedUsd += outcome.savedUsd ?? 0;
    }
  }
  return { seen: tally.seen + outcomes.length, done, bytes, savedUsd, left };
}
