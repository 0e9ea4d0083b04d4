import type { ServiceDeps } from './deps.ts';
import { claim, release } from './review/claims.ts';
import type { ReviewService } from './review/contracts.ts';
import { decide } from './review/decide.ts';
import { decideMany } from './review/decide-many.ts';
import { photoHistory, sellerModeration } from './review/history.ts';
import { report, type ReportDeps } from './review/report.ts';
import { listReview } from './review/queue.ts';

/** The queue of photos that wait for a person, and what people decide. */
export function createReviewService(deps: ReportDeps & Pick<ServiceDeps, 'log'>): ReviewService {
  return {
    listReview: (who, page) => listReview(deps, who, page),
    claim: (who, request) => claim(deps, who, request),
    release: (who) => release(deps, who),
    decide: (who, id, decision) => decide(deps, who, id, decision),
    report: (who, id, request) => report(deps, who, id, request),
    photoHistory: (who, id, page) => photoHistory(deps, who, id, page),
    sellerModeration: (who, userId, page) => sellerModeration(deps, who, userId, page),
    decideMany: (who, ids, decision) => decideMany(deps, who, ids, decision),
  };
}
