import { FINDING_SOURCES } from './finding.ts';

/**
 * Why a photo is in the review queue: what a check or a buyer saw, an appeal of its seller, or the second look that a
 * take-down gets. A case that has more than one reason is named after the most urgent.
 */
export const CASE_SOURCES = [...FINDING_SOURCES, 'appeal', 'second_look'] as const;
export type CaseSource = (typeof CASE_SOURCES)[number];

/**
 * From 0 to 9; the highest comes first, among equals the longest waiting. Of what is not here the database decides, which opens
 * cases with the change of a photo's state: an appeal 6, everything else 0.
 */
export const CASE_PRIORITY = {
  report: 3,
  /** Was public, and is out of the public until somebody decides. */
  hidden: 4,
  second_look: 5,
  /** A buyer names something that may hurt people. */
  danger: 9,
} as const;

/** How often the owner of a photo can ask for another look at it, one after the other. */
export const MAX_APPEALS = 3;

/** Who "decides" that a photo is hidden because several buyers named something dangerous. */
export const REPORTED = 'system:reports';

/** Who hides a photo because the policy says so of what was found in it. */
export const POLICY = 'system:policy';

/** The alarm about photos that wait too long for a moderator. */
export const REVIEW_ALARM = 'review';

/** What came of comparing a photo with another that looks the same. Upload order proves nothing. */
export const MATCH_OUTCOMES = ['not_a_copy', 'same_owner', 'copied_by_newer', 'copied_by_older'] as const;
export type MatchOutcome = (typeof MATCH_OUTCOMES)[number];

/** What came of a case; `withdrawn`: the photo left before anybody decided. */
export type CaseOutcome = 'approve' | 'reject' | 'takedown' | 'withdrawn';
