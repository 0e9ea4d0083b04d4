/** Long work that an operator or a schedule starts. */
export const RUN_KINDS = [
  'lifecycle',
  'cdn-invalidation',
  'cdn-warm',
  'scrub',
  'rewrap-keys',
  'reconcile',
  'backup',
  'verify-audit',
  'moderation-replay',
  'search-rebuild',
] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** `queued` also while it waits to go on after a failure that may pass, or after its worker was stopped. */
export const RUN_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface RunProgress {
  readonly done: number;
  /** Null while it is not known. */
  readonly total: number | null;
  /** What it is at, in words for the operator. */
  readonly note: string | null;
}

/** One thing that a run did; in a dry run, would do. */
export interface RunAction {
  /** A verb: `archive`, `delete`, `purge` … */
  readonly action: string;
  /** Object key, file id or path. */
  readonly subject: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function isRunKind(value: string): value is RunKind {
  return RUN_KINDS.some((kind) => kind === value);
}

export function isOver(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}
