import type { Principal } from '../../domain/access.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { FileId } from '../../domain/ids.ts';
import type { CaseSource, MatchOutcome } from '../../domain/review-case.ts';
import type { ReasonCode } from '../../domain/review-reasons.ts';
import type { ScanResult } from '../../ports/scanner.ts';
import type { Photo } from '../photo.ts';

/** A photo in the review queue. */
export interface ReviewEntry {
  readonly photo: Photo;
  readonly source: CaseSource;
  /** What was seen in it, models' labels as well. */
  readonly findings: readonly Finding[];
  readonly item: { readonly id: string; readonly title: string } | null;
  readonly labels: readonly { readonly label: string; readonly confidence: number }[];
  /** What the virus scanner said last, and when; null when it gave no answer. */
  readonly scan: (ScanResult & { readonly at: string }) | null;
  readonly reason: string | null;
  /** Signed URL of the sanitised view; null when the photo could not be decoded yet, and when it is public. */
  readonly viewUrl: string | null;
  readonly appeal: string | null;
  /** Buyers who reported it in this case, by what they named. */
  readonly reports: readonly { readonly reasonCode: string; readonly count: number }[];
  /** The moderator who has it before them, until then. */
  readonly claim: { readonly isYours: boolean; readonly until: string } | null;
  readonly waitingSince: string;
}

/** What a moderator decides, and why: by the list, in words, or both. */
export interface Decision {
  readonly decision: 'approve' | 'reject' | 'takedown';
  readonly reason?: string;
  readonly reasonCode?: ReasonCode;
  /** What came of comparing it with another photo. */
  readonly match?: { readonly fileId: string; readonly outcome: MatchOutcome };
}

/** The next cases of the queue (besides those the caller has), or the cases of named photos. */
export type ClaimRequest =
  | { readonly count: number; readonly source?: CaseSource; readonly except?: readonly string[] }
  | { readonly ids: readonly string[] };

export interface Claim {
  /** Of the next cases; empty where photos were named. */
  readonly photos: readonly ReviewEntry[];
  /** Photos that are now the caller's. */
  readonly claimed: readonly string[];
  /** Named photos that are not: somebody else has them, or has decided. */
  readonly missed: readonly { readonly id: string; readonly code: ErrorCode }[];
  /** How long the claims last unless they are renewed, in seconds. */
  readonly seconds: number;
}

/** What came of one of many decisions. */
export type Outcome =
  | { readonly id: string; readonly ok: true; readonly state: Photo['state'] }
  | { readonly id: string; readonly ok: false; readonly code: ErrorCode; readonly detail: string };

export interface ReviewService {
  /** Open cases that are for this moderator: the most urgent first, among equals the longest waiting. */
  listReview(
    who: Principal,
    page: { after?: string; limit: number; source?: CaseSource },
  ): Promise<{ photos: readonly ReviewEntry[]; next: string | null; count: number }>;
  /** Gives a moderator cases that no other gets meanwhile. Claims lapse by themselves; claimed again they are renewed. */
  claim(who: Principal, request: ClaimRequest): Promise<Claim>;
  /** Gives back what a moderator has claimed. */
  release(who: Principal): Promise<void>;
  /**
   * In review: `approve` or `reject`. Public: `takedown`, which gets a second look by somebody else; `approve` where it is
   * in the queue: it stays. Taken down, in its second look: `approve` brings it back, `takedown` confirms.
   * Errors: ALREADY_DECIDED when somebody was faster, CLAIMED while another moderator has it, FORBIDDEN for an appeal
   * against the caller's own decision, INVALID_REQUEST when words are wanted.
   */
  decide(who: Principal, id: FileId, decision: Decision): Promise<Photo>;
  /** The same for many: each by itself, and the outcome of each in the order given. */
  decideMany(who: Principal, ids: readonly FileId[], decision: Decision): Promise<readonly Outcome[]>;
}
