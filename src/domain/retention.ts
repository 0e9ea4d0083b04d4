import type { FileState } from './file-state.ts';
import { PREFIXES } from './keys.ts';
import type { StorageClass } from './storage-class.ts';

/** From when the days of a rule are counted. */
export type RetentionClock =
  /** The object was written. */
  | 'written'
  /** The listing last changed, or one of its photos was last looked at. */
  | 'activity'
  /** The profile photo was last looked at, or published. */
  | 'use'
  /** A person or a rule refused the photo, or took it down. */
  | 'decision';

export type RetentionAction =
  | { readonly kind: 'delete' }
  /** Of objects that were replaced, in a bucket with versions; with the markers of deletes that hide nothing any more. */
  | { readonly kind: 'delete-old-versions' }
  | { readonly kind: 'abort-upload' }
  /** `daysLeft`: how long the object is expected to live on; decides with its size whether moving it saves anything. */
  | { readonly kind: 'move'; readonly to: StorageClass; readonly daysLeft: number }
  /** S3's Intelligent-Tiering: objects stay readable at once, whatever tier they are in. */
  | { readonly kind: 'tier'; readonly minBytes: number };

/**
 * Who carries a rule out. The bucket sees age, prefix and size, so it may have what needs no more than these. Activity,
 * decisions and legal holds are in our rows: what depends on one of them is ours. `lastResort`: the bucket removes what
 * we should have removed long before, after so many days.
 */
export type RetentionEnforcer =
  | { readonly by: 'bucket' }
  | { readonly by: 'service'; readonly lastResort?: { readonly days: number } };

export interface RetentionRule {
  readonly id: RetentionRuleId;
  /** For people. */
  readonly says: string;
  readonly prefixes: readonly string[];
  readonly clock: RetentionClock;
  readonly days: number;
  readonly action: RetentionAction;
  readonly enforced: RetentionEnforcer;
}

const YEAR = 365;
/** Seven years hold one or two leap days; two, so that nothing moves too early. */
const SEVEN_YEARS = 7 * YEAR + 2;

export const RETENTION_RULE_IDS = [
  'abandoned-uploads',
  'temporary-objects',
  'refused-photos',
  'item-originals-tier',
  'item-originals-archive',
  'profile-photos',
  'documents',
  'old-versions',
] as const;
export type RetentionRuleId = (typeof RETENTION_RULE_IDS)[number];

/**
 * The one table of how long what is kept, and where (design §6). The lifecycle service acts on it, and the bucket's
 * lifecycle configuration is generated from it. A legal hold beats all of it: no rule that the bucket carries out by
 * itself reaches what a held file stands on.
 */
export const RETENTION: Readonly<Record<RetentionRuleId, Omit<RetentionRule, 'id'>>> = {
  'abandoned-uploads': {
    // None is open for longer than its request, an hour at most: parts of a resumable upload are objects of their own. A
    // day is far behind the longest, and ahead of the bucket.
    says: 'Multipart uploads that nobody has written to for a day are aborted.',
    prefixes: [''],
    clock: 'written',
    days: 1,
    action: { kind: 'abort-upload' },
    enforced: { by: 'service', lastResort: { days: 2 } },
  },
  'temporary-objects': {
    says: 'Uploaded bytes that came to nothing are removed after a day.',
    prefixes: [PREFIXES.temporary],
    clock: 'written',
    days: 1,
    action: { kind: 'delete' },
    // S3 rounds up to midnight (UTC): a rule of one day could come before us, two days never do.
    enforced: { by: 'service', lastResort: { days: 2 } },
  },
  'refused-photos': {
    // Complaints are open for six months: Regulation (EU) 2022/2065 (Digital Services Act), article 20 (1).
    says: 'Photos that were refused or taken down are kept for appeals for six months, then removed.',
    prefixes: [PREFIXES.quarantine],
    clock: 'decision',
    days: 184,
    action: { kind: 'delete' },
    enforced: { by: 'service' },
  },
  'item-originals-tier': {
    says: 'Originals of item photos that are large enough are tiered by S3 itself after a month.',
    prefixes: [`${PREFIXES.items}original/`],
    clock: 'written',
    days: 30,
    action: { kind: 'tier', minBytes: 1024 * 1024 },
    enforced: { by: 'bucket' },
  },
  'item-originals-archive': {
    says: 'Originals of item photos are archived after twelve months without activity.',
    prefixes: [`${PREFIXES.items}original/`],
    clock: 'activity',
    days: YEAR,
    action: { kind: 'move', to: 'GLACIER', daysLeft: 2 * YEAR },
    enforced: { by: 'service' },
  },
  'profile-photos': {
    says: 'Profile photos stay at hand for twelve months after their last use, then cost less.',
    prefixes: [PREFIXES.profiles],
    clock: 'use',
    days: YEAR,
    action: { kind: 'move', to: 'STANDARD_IA', daysLeft: YEAR },
    enforced: { by: 'service' },
  },
  documents: {
    says: 'Identity documents are archived after seven years.',
    prefixes: [PREFIXES.documents],
    clock: 'written',
    days: SEVEN_YEARS,
    action: { kind: 'move', to: 'GLACIER', daysLeft: 5 * YEAR },
    // By age alone the bucket could do it, but it cannot tell our rows that the document is not readable at once.
    enforced: { by: 'service' },
  },
  'old-versions': {
    says: 'What was replaced in a versioned bucket can be brought back for thirty days.',
    prefixes: [''],
    clock: 'written',
    days: 30,
    action: { kind: 'delete-old-versions' },
    enforced: { by: 'bucket' },
  },
};

/** What was brought back from the archive stays at hand for so long, whatever its age. */
export const RESTORED_STAYS_DAYS = 30;
/** An object that no row names is left alone for so long: it may be on its way to its row. */
export const UNNAMED_GRACE_DAYS = 1;
/** After a restore of the database was accepted, such objects are left to people for so long: the backup may be older than they. */
export const UNNAMED_AFTER_RESTORE_DAYS = 30;

/** Every rule, with its id. */
export const RETENTION_RULES: readonly RetentionRule[] = RETENTION_RULE_IDS.map((id) => ({
  id,
  ...RETENTION[id],
}));

/** What a rule needs to know of an object and its file. A time that is null is not known, or has not come: nothing that counts from it is due. */
export interface RetainedObject {
  readonly key: string;
  readonly bytes: number;
  readonly writtenAt: Date;
  /** Since when it has been in its storage class. */
  readonly classSince: Date;
  readonly held: boolean;
  /** Null for an object that belongs to no file. */
  readonly file: {
    readonly state: FileState;
    readonly lastActivityAt: Date | null;
    readonly lastUsedAt: Date | null;
    readonly decidedAt: Date | null;
  } | null;
}

/** States in which a refusal stands. */
const REFUSED: ReadonlySet<FileState> = new Set(['rejected', 'taken_down']);
/** States in which the bytes under `temp/` are still to be read: a job or the sweep deals with them. */
const READS_TEMP: ReadonlySet<FileState> = new Set(['pending', 'received', 'checking', 'published']);

/**
 * What we do with an object of the present version at a moment: the rule that is due, or null. The service asks it with
 * the file's row lock in hand, so that a hold, a view or a change in between is seen.
 */
export function retentionDue(object: RetainedObject, now: Date): RetentionRule | null {
  if (object.held) return null;
  const due = RETENTION_RULES.filter(
    (rule) =>
      rule.action.kind !== 'delete-old-versions' &&
      rule.action.kind !== 'abort-upload' &&
      rule.prefixes.some((prefix) => object.key.startsWith(prefix)) &&
      isOver(rule, object, now),
  );
  return due.find((rule) => rule.action.kind === 'delete') ?? due.at(-1) ?? null;
}

function isOver(rule: RetentionRule, object: RetainedObject, now: Date): boolean {
  const { file } = object;
  if (rule.action.kind === 'tier' && object.bytes <= rule.action.minBytes) return false;
  if (rule.id === 'temporary-objects' && file !== null && READS_TEMP.has(file.state)) return false;
  if (rule.action.kind === 'move' && (file?.state !== 'ready' || isFresh(object.classSince, now)))
    return false;
  const since = startOf(rule.clock, object);
  return since !== null && since.getTime() <= cutoff(rule, now).getTime();
}

function isFresh(classSince: Date, now: Date): boolean {
  return classSince.getTime() > cutoff({ days: RESTORED_STAYS_DAYS }, now).getTime();
}

function startOf(clock: RetentionClock, { writtenAt, file }: RetainedObject): Date | null {
  switch (clock) {
    case 'written':
      return writtenAt;
    case 'activity':
      return file?.lastActivityAt ?? null;
    case 'use':
      return file?.lastUsedAt ?? null;
    case 'decision':
      return file !== null && REFUSED.has(file.state) ? file.decidedAt : null;
  }
}

/** What began before this moment is over. */
export function cutoff(rule: Pick<RetentionRule, 'days'>, now: Date): Date {
  return new Date(now.getTime() - millisecondsOf(rule));
}

/** How long a rule waits, in milliseconds. */
export function millisecondsOf({ days }: Pick<RetentionRule, 'days'>): number {
  return days * 86_400_000;
}
