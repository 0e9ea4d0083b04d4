import type { FileId } from './ids.ts';

/** A day in UTC: `2026-11-24`. */
export type Day = string;

/** How the CDN came by an answer. */
export type Delivery = 'hit' | 'miss' | 'error' | 'other';

/** A request that the CDN answered. */
export interface AnsweredRequest {
  readonly at: Date;
  readonly method: string;
  readonly status: number;
  /** Sent to the viewer, header fields included where the CDN counts them. */
  readonly bytes: number;
  readonly delivery: Delivery;
  /** First byte that was asked for; null when the whole was, or when it is not known. */
  readonly rangeStart: number | null;
  /** Whether the viewer says that it is a program. */
  readonly isRobot: boolean;
}

/** What was seen of one photo on one day. */
export interface PhotoUsage {
  readonly fileId: FileId;
  readonly day: Day;
  readonly views: number;
  readonly robotViews: number;
  /** To people and robots. */
  readonly bytes: number;
  /** When a person last looked; null when only robots did. */
  readonly lastViewedAt: Date | null;
}

/** What the CDN did on one day, photos or not. */
export interface DeliveryUsage {
  readonly day: Day;
  readonly requests: number;
  /** Of the requests. */
  readonly robotRequests: number;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly bytes: number;
}

export function dayOf(at: Date): Day {
  return at.toISOString().slice(0, 10);
}

/**
 * Whether a picture was looked at. A copy that the viewer has and asked about counts (304); of one that is fetched in
 * parts, the first part does.
 */
export function isView({ method, status, rangeStart }: AnsweredRequest): boolean {
  if (method !== 'GET') return false;
  return status === 200 || status === 304 || (status === 206 && (rangeStart ?? 0) === 0);
}

/** Share of answers that needed no look at the store, of those that could; null when there were none. */
export function hitRatio({ hits, misses }: Pick<DeliveryUsage, 'hits' | 'misses'>): number | null {
  return hits + misses === 0 ? null : hits / (hits + misses);
}
