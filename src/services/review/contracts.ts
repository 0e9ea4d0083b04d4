import type { Principal } from '../../domain/access.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { FileId, UserId } from '../../domain/ids.ts';
import type { ProbeState } from '../../domain/probe.ts';
import type { CaseOutcome, CaseSource, MatchOutcome } from '../../domain/review-case.ts';
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
  /** What came of comparing it with another photo, or with several. */
  readonly match?: MatchSaid;
  readonly matches?: readonly MatchSaid[];
}

/** What a photo and another one that shows the same are to each other. */
export interface MatchSaid {
  readonly fileId: string;
  readonly outcome: MatchOutcome;
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
  /** Open cases that are for the caller, claimed or not. */
  readonly waiting: number;
  /** How long the claims last unless they are renewed, in seconds. */
  readonly seconds: number;
}

/** What came of one of many decisions. */
export type Outcome =
  | { readonly id: string; readonly ok: true; readonly state: Photo['state'] }
  | { readonly id: string; readonly ok: false; readonly code: ErrorCode; readonly detail: string };

/** How much of a history at once, and after which page. */
export interface HistoryRequest {
  readonly after?: string;
  readonly limit: number;
}

/** What happened to a photo, each part the latest first. What was seen in it and proofs come with the first page. */
export interface PhotoHistory {
  readonly photo: Photo;
  readonly events: readonly {
    readonly at: string;
    readonly state: Photo['state'];
    readonly reasonCode: string | null;
  }[];
  readonly findings: readonly Finding[];
  readonly cases: readonly {
    readonly source: CaseSource;
    readonly openedAt: string;
    readonly closedAt: string | null;
    readonly outcome: CaseOutcome | null;
  }[];
  readonly decisions: readonly PastDecision[];
  readonly appeals: readonly {
    readonly at: string;
    readonly message: string;
    readonly outcome: string | null;
    readonly decidedAt: string | null;
  }[];
  readonly reports: readonly {
    readonly at: string;
    readonly userId: string;
    readonly reasonCode: string;
    readonly message: string | null;
  }[];
  /** Whether its public URLs were found to be gone, each time that something of it was withdrawn. */
  readonly proofs: readonly {
    readonly state: ProbeState;
    readonly urls: number;
    readonly probedAt: string | null;
  }[];
  /** For admins: a legal hold says who is looked into. Empty for a moderator. */
  readonly holds: readonly {
    readonly reason: string;
    readonly placedBy: string;
    readonly placedAt: string;
    readonly liftedAt: string | null;
  }[];
  /** Null when nothing happened before. */
  readonly next: string | null;
}

export interface PastDecision {
  readonly at: string;
  readonly fileId: string;
  readonly moderatorId: string;
  readonly decision: 'approve' | 'reject' | 'takedown';
  readonly reason: string;
  readonly reasonCode: string | null;
}

/** What moderators know of a seller. */
export interface SellerModeration {
  readonly userId: string;
  readonly photos: Readonly<Record<string, number>>;
  readonly decisions: Readonly<Record<string, number>>;
  readonly appeals: { readonly made: number; readonly upheld: number };
  /** Reports of their photos by others. */
  readonly reports: number;
  /** The latest first. */
  readonly last: readonly PastDecision[];
  readonly next: string | null;
}

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
   * Errors: ALREADY_DECIDED when somebody was faster, ILLEGAL_TRANSITION for a `reject` outside of review or a `takedown` in
   * it, CLAIMED while another moderator has it, FORBIDDEN for an appeal against the caller's own decision, INVALID_REQUEST when
   * words are wanted, CONTRADICTION for an approval of what is called a copy. All that follows is done, or nothing.
   */
  decide(who: Principal, id: FileId, decision: Decision): Promise<Photo>;
  /**
   * A buyer says that something is wrong with a public photo; once a photo and person, asked again it is a success.
   * Errors: NOT_FOUND, FORBIDDEN (its owner), RATE_LIMITED, INVALID_REQUEST when words are wanted.
   */
  report(who: Principal, id: FileId, report: { reasonCode: ReasonCode; message?: string }): Promise<void>;
  /** All that happened to a photo, deleted ones too; reading it is written down. NOT_FOUND for documents. */
  photoHistory(who: Principal, id: FileId, page: HistoryRequest): Promise<PhotoHistory>;
  /** What was decided about a seller's photos; reading it is written down. */
  sellerModeration(who: Principal, userId: UserId, page: HistoryRequest): Promise<SellerModeration>;
  /** The same for many: each by itself, and the outcome of each in the order given. */
  decideMany(who: Principal, ids: readonly FileId[], decision: Decision): Promise<readonly Outcome[]>;
}
