export const FILE_KINDS = ['item_photo', 'profile_photo', 'verification_document'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/**
 * Where a file is on its way.
 * pending: reserved, bytes not here · received: bytes here · checking: being inspected, scanned and moderated ·
 * published: its original is public, renditions are being made · ready: all there is · in_review: waits for a
 * moderator · rejected: refused by a rule or a moderator · taken_down: was public, is no longer ·
 * failed: could not be finished, `reason` says why · deleting, deleted: on its way out, and gone.
 */
export const FILE_STATES = [
  'pending',
  'received',
  'checking',
  'published',
  'ready',
  'in_review',
  'rejected',
  'taken_down',
  'failed',
  'deleting',
  'deleted',
] as const;
export type FileState = (typeof FILE_STATES)[number];

/** The one transition table. The database holds the same rows and refuses anything else. */
export const TRANSITIONS: Readonly<Record<FileState, readonly FileState[]>> = {
  pending: ['received', 'failed', 'deleting'],
  received: ['checking', 'failed', 'deleting'],
  checking: ['published', 'ready', 'in_review', 'rejected', 'failed', 'deleting'],
  in_review: ['published', 'rejected', 'deleting'],
  published: ['ready', 'in_review', 'taken_down', 'failed', 'deleting'],
  ready: ['in_review', 'taken_down', 'deleting'],
  rejected: ['in_review', 'deleting'],
  taken_down: ['in_review', 'deleting'],
  failed: ['deleting'],
  deleting: ['deleted'],
  deleted: [],
};

/** States in which the photo's public objects may be read by anybody. */
export const PUBLIC_STATES = ['published', 'ready'] as const satisfies readonly FileState[];
/** States from which work must still lead on without a person: each has a deadline. */
export const UNFINISHED_STATES = [
  'pending',
  'received',
  'checking',
  'published',
] as const satisfies readonly FileState[];
/** States in which a photo has a position in its listing and counts against quotas. */
export const PLACED_STATES = [
  'pending',
  'received',
  'checking',
  'in_review',
  'published',
  'ready',
] as const satisfies readonly FileState[];

export function isPublic(state: FileState): boolean {
  return includes(PUBLIC_STATES, state);
}
export function isUnfinished(state: FileState): boolean {
  return includes(UNFINISHED_STATES, state);
}
export function holdsPlace(state: FileState): boolean {
  return includes(PLACED_STATES, state);
}
/** A state that no further work of ours will change: the end of waiting. */
export function isSettled(state: FileState): boolean {
  return !isUnfinished(state) && state !== 'deleting';
}
export function canTransition(from: FileState, to: FileState): boolean {
  return includes(TRANSITIONS[from], to);
}

function includes(states: readonly FileState[], state: FileState): boolean {
  return states.includes(state);
}

/** The named steps of the pipeline, as `stage` shows them. */
export const STAGES = [
  'uploading',
  'inspect',
  'scan',
  'decode',
  'moderate',
  'publish',
  'derive',
  'verify',
  'finish',
] as const;
export type Stage = (typeof STAGES)[number];
