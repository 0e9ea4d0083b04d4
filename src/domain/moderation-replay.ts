import type { FileState } from './file-state.ts';
import { isPublic } from './file-state.ts';
import type { ModerationVerdict } from './moderation-policy.ts';

/** What judging a photo again would mean for it. */
export const REPLAY_CHANGES = [
  /** Public, and doubtful now: a person is asked, it stays public meanwhile. */
  'open-case',
  /** The same where the policy hides such a photo: out of the public until a person decides. */
  'hide',
  /** Public and doubtful now, but in the queue already. */
  'queued-already',
  /** Public and doubtful now, but a person has approved it who knew of all that is doubtful: that stands. */
  'approved-by-person',
  /** Waits only because a machine had doubts that it has no longer: published. */
  'release',
  /** The same, where the run was not asked to publish anything. */
  'releasable',
  /** Refused by machine, which it would not be now: its seller may appeal. */
  'no-longer-refused',
] as const;
export type ReplayChange = (typeof REPLAY_CHANGES)[number];

/** What is known of a photo beside what is seen in it. */
export interface Judged {
  readonly state: FileState;
  /** What people have decided, whenever that was. */
  readonly wasApproved: boolean;
  readonly wasRefused: boolean;
  readonly wasAppealed: boolean;
  readonly hasOpenCase: boolean;
  /** Whether a machine's doubt about what it shows is the one reason why it waits. */
  readonly waitsForModerationOnly: boolean;
}

/** What another judgement makes of it. */
export interface Verdict {
  readonly verdict: ModerationVerdict;
  /** Whether a person has approved it who knew of all that led to the verdict. */
  readonly isApproved: boolean;
  /** Whether the policy hides a public photo that shows what nobody has approved of it. */
  readonly isHidden: boolean;
}

/** Null where nothing changes. What a person has refused stays refused, whatever the policy. */
export function replayChange(
  photo: Judged,
  { verdict, isApproved, isHidden }: Verdict,
  { release }: { readonly release: boolean },
): ReplayChange | null {
  if (isPublic(photo.state)) {
    if (verdict === 'publish') return null;
    if (isApproved) return 'approved-by-person';
    if (isHidden) return 'hide';
    return photo.hasOpenCase ? 'queued-already' : 'open-case';
  }
  const isUntouched = !photo.wasApproved && !photo.wasRefused && !photo.wasAppealed;
  if (!isUntouched) return null;
  if (photo.state === 'in_review' && verdict === 'publish' && photo.waitsForModerationOnly)
    return release ? 'release' : 'releasable';
  return photo.state === 'rejected' && verdict !== 'reject' ? 'no-longer-refused' : null;
}
