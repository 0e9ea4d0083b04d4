import * as z from 'zod/mini';
import { FINDING_SOURCES } from '../../../src/domain/finding.ts';
import { CASE_SOURCES, type CaseSource, type MatchOutcome } from '../../../src/domain/review-case.ts';
import type { ReasonCode } from '../../../src/domain/review-reasons.ts';
import { call, callVoid } from './client.ts';
import { type Photo, PhotoSchema } from './schemas.ts';

const id = encodeURIComponent;

const FindingSchema = z.object({
  source: z.enum(FINDING_SOURCES),
  label: z.string(),
  confidence: z.nullable(z.number()),
  region: z.nullable(z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() })),
  details: z.record(z.string(), z.unknown()),
});
export type Finding = z.infer<typeof FindingSchema>;

const ReviewEntrySchema = z.object({
  photo: PhotoSchema,
  source: z.enum(CASE_SOURCES),
  findings: z.array(FindingSchema),
  scan: z.nullable(z.object({ verdict: z.string(), scanner: z.string(), version: z.string() })),
  item: z.nullable(z.object({ id: z.string(), title: z.string() })),
  reason: z.nullable(z.string()),
  viewUrl: z.nullable(z.string()),
  appeal: z.nullable(z.string()),
  reports: z.array(z.object({ reasonCode: z.string(), count: z.number() })),
  waitingSince: z.string(),
});
export type ReviewEntry = z.infer<typeof ReviewEntrySchema>;

const ClaimSchema = z.object({
  photos: z.array(ReviewEntrySchema),
  claimed: z.array(z.string()),
  missed: z.array(z.object({ id: z.string(), code: z.string() })),
  waiting: z.number(),
});
export type Claim = z.infer<typeof ClaimSchema>;

/** Takes the next photos of the queue, besides those in `except`. */
export function claimNext(request: {
  readonly count: number;
  readonly source?: CaseSource;
  readonly except: readonly string[];
}): Promise<Claim> {
  return call('/v1/admin/review/claims', ClaimSchema, { method: 'POST', body: request });
}
/** Keeps photos that were taken before. */
export function renewClaims(ids: readonly string[]): Promise<Claim> {
  return call('/v1/admin/review/claims', ClaimSchema, { method: 'POST', body: { ids } });
}
/** Gives all of them back; outlives the page. */
export function releaseClaims(): Promise<void> {
  return callVoid('/v1/admin/review/claims', { method: 'DELETE', keepalive: true });
}

export interface Decision {
  readonly decision: 'approve' | 'reject' | 'takedown';
  readonly reason?: string;
  readonly reasonCode?: ReasonCode;
  readonly matches?: readonly { readonly fileId: string; readonly outcome: MatchOutcome }[];
}
/** Outlives the page. @throws ApiError ALREADY_DECIDED when somebody was faster, CONTRADICTION for an approved copy. */
export function decide(photoId: string, decision: Decision): Promise<void> {
  return callVoid(`/v1/admin/photos/${id(photoId)}/decision`, {
    method: 'POST',
    body: decision,
    keepalive: true,
  });
}

const OutcomesSchema = z.object({
  outcomes: z.array(z.object({ id: z.string(), ok: z.boolean(), code: z.optional(z.string()) })),
});
export function decideMany(
  ids: readonly string[],
  decision: Omit<Decision, 'matches'>,
): Promise<z.infer<typeof OutcomesSchema>> {
  return call('/v1/admin/review/decisions', OutcomesSchema, { method: 'POST', body: { ids, ...decision } });
}

const HistorySchema = z.object({
  events: z.array(z.object({ at: z.string(), state: z.string() })),
  decisions: z.array(
    z.object({
      at: z.string(),
      moderatorId: z.string(),
      decision: z.string(),
      reason: z.string(),
      reasonCode: z.nullable(z.string()),
    }),
  ),
  appeals: z.array(z.object({ at: z.string(), message: z.string(), outcome: z.nullable(z.string()) })),
  reports: z.array(z.object({ at: z.string(), reasonCode: z.string(), message: z.nullable(z.string()) })),
  proofs: z.array(z.object({ state: z.string(), urls: z.number(), probedAt: z.nullable(z.string()) })),
  holds: z.array(z.object({ reason: z.string(), placedAt: z.string(), liftedAt: z.nullable(z.string()) })),
  next: z.nullable(z.string()),
});
export type History = z.infer<typeof HistorySchema>;
/** The latest page, or the one after a page whose `next` is given. */
export function getHistory(photoId: string, after: string | null, signal?: AbortSignal): Promise<History> {
  const query = after === null ? '' : `?after=${id(after)}`;
  return call(`/v1/admin/photos/${id(photoId)}/history${query}`, HistorySchema, { signal });
}

const SellerSchema = z.object({
  photos: z.record(z.string(), z.number()),
  decisions: z.record(z.string(), z.number()),
  appeals: z.object({ made: z.number(), upheld: z.number() }),
  reports: z.number(),
});
export type Seller = z.infer<typeof SellerSchema>;
export function getSeller(userId: string, signal?: AbortSignal): Promise<Seller> {
  return call(`/v1/admin/users/${id(userId)}/moderation`, SellerSchema, { signal });
}

/** The photo that another one looks like, with an address at which it can be seen for a while. */
export async function getCompared(
  photoId: string,
  signal?: AbortSignal,
): Promise<{ photo: Photo; url: string }> {
  const path = `/v1/photos/${id(photoId)}`;
  const photo = await call(path, PhotoSchema, { signal });
  const shown = photo.variants.large ?? photo.variants.medium ?? photo.variants.original;
  if (shown !== undefined) return { photo, url: shown.auto };
  const signed = await call(`${path}/signed-url`, z.object({ url: z.string() }), {
    method: 'POST',
    body: { expiresIn: 300 },
    signal,
  });
  return { photo, url: signed.url };
}

/** A buyer says that something is wrong with a photo. */
export function reportPhoto(photoId: string, reasonCode: ReasonCode, message: string): Promise<void> {
  return callVoid(`/v1/photos/${id(photoId)}/report`, {
    method: 'POST',
    body: { reasonCode, ...(message !== '' && { message }) },
  });
}
