/** What CloudFront lets a distribution have, by document. */
export const CLOUDFRONT_LIMITS = {
  /**
   * Paths without a wildcard in progress at one time, and wildcard paths, each counted by itself: "Concurrent
   * invalidation request maximum", Amazon CloudFront Developer Guide, 2025.
   */
  pathsInProgress: 3000,
  wildcardsInProgress: 15,
  /** "What you need to know when invalidating paths", the same guide, 2026. */
  pathCharacters: 4000,
  /**
   * Calls of CreateInvalidation: 0.5 a second for an account, as AWS answered in aws/aws-sdk-js issue 3983 (2022); the
   * guide names no figure.
   */
  createIntervalMs: 2000,
} as const;

/**
 * US dollars a path beyond the first 1,000 of a month; a path with a wildcard counts as one ("Pay for file invalidation",
 * Amazon CloudFront Developer Guide, and CloudFront pricing, 2025).
 */
export const PRICE_PER_PATH = 0.005;
/** US dollars for one GET of S3 Standard in us-east-1 (S3 pricing, 2025): what purging too much costs a cache. */
export const PRICE_PER_REFILL = 0.000_000_4;
/** Regional caches that may fetch an object again (CloudFront names 13, "How CloudFront delivers content", 2025). */
export const REGIONAL_CACHES = 13;
