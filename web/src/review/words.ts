import type { CaseSource, MatchOutcome } from '../../../src/domain/review-case.ts';
import { REASON_CODES, type ReasonCode } from '../../../src/domain/review-reasons.ts';
import type { Decision, ReviewEntry } from '../api/review.ts';
import { isDisturbingLabel } from './disturbing.ts';

export const SOURCE_WORDS: Readonly<Record<CaseSource, string>> = {
  moderation: 'Content check',
  unchecked: 'Could not be checked',
  contact: 'Contact details',
  fingerprint: 'Looks like another photo',
  report: 'Reported',
  appeal: 'Appeal',
  second_look: 'Second look',
};

export const MATCH_WORDS: Readonly<Record<MatchOutcome, string>> = {
  not_a_copy: 'Not a copy',
  same_owner: 'Same owner',
  copied_by_newer: 'This one is the copy',
  copied_by_older: 'The other is the copy',
};

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', 'q', 'o'];
/** The key that refuses a photo for each reason. */
export const REASON_KEYS: ReadonlyMap<string, ReasonCode> = new Map(
  REASON_CODES.flatMap((code, index) => {
    const key = KEYS[index];
    return key === undefined ? [] : [[key, code] as const];
  }),
);

/** What refusing a photo means where it is: in review it is rejected, elsewhere taken down or kept down. */
export function refusalOf(entry: ReviewEntry): Exclude<Decision['decision'], 'approve'> {
  return entry.photo.state === 'in_review' ? 'reject' : 'takedown';
}

/** Whether what was seen in a photo, or could not be looked for, is better not seen by surprise. */
export function isDisturbing({ findings, source, reports }: ReviewEntry): boolean {
  if (source === 'unchecked') return true;
  const labels = [...findings.map(({ label }) => label), ...reports.map(({ reasonCode }) => reasonCode)];
  return labels.some(isDisturbingLabel);
}
