import { StorageError } from './errors.ts';
import { isSignedKey, PREFIXES, PUBLIC_PREFIXES, SIGNED_PREFIX } from './keys.ts';

/** How long, and by whom, an answer of the CDN may be kept. */
export interface CachePolicy {
  /** Seconds; 0: by nobody. */
  readonly maxAgeSeconds: number;
  /** `private`: by the browser that asked only, never by the CDN. */
  readonly visibility: 'public' | 'private';
  /** Whether the content of a key never changes, so that browsers need not ask again. */
  readonly immutable: boolean;
}

/** A policy for the paths of a pattern: `*` stands for any characters. */
export interface CacheRule {
  readonly pattern: string;
  readonly policy: CachePolicy;
}

const YEAR_SECONDS = 31_536_000;
export const IMMUTABLE: CachePolicy = { maxAgeSeconds: YEAR_SECONDS, visibility: 'public', immutable: true };
export const PRIVATE: CachePolicy = { maxAgeSeconds: 0, visibility: 'private', immutable: false };

/** The rules that hold without anybody's doing, the first that matches decides. Both CDNs follow them. */
export const CACHE_RULES: readonly CacheRule[] = [
  {
    pattern: `${PREFIXES.profiles}thumbnail/*/current`,
    policy: { maxAgeSeconds: 60, visibility: 'public', immutable: false },
  },
  { pattern: `${SIGNED_PREFIX}*`, policy: PRIVATE },
  ...PUBLIC_PREFIXES.map((prefix) => ({ pattern: `${prefix}*`, policy: IMMUTABLE })),
];

/** The policy of a path: of the most particular rule given that matches, else of the standing ones. */
export function cachePolicyFor(path: string, given: readonly CacheRule[] = []): CachePolicy {
  const particular = given
    .filter(({ pattern }) => matchesPattern(pattern, path))
    .toSorted((a, b) => b.pattern.length - a.pattern.length)[0];
  const rule = particular ?? CACHE_RULES.find(({ pattern }) => matchesPattern(pattern, path));
  return rule?.policy ?? PRIVATE;
}

/**
 * Checks a rule before any CDN is told: whole seconds up to a year, and nothing that needs a signature is made public.
 * Throws INVALID_REQUEST, INVALID_KEY for a pattern outside what the CDN serves.
 */
export function cacheRule(pattern: string, policy: CachePolicy): CacheRule {
  if (!/^(items|profiles|quarantine\/view)\/[A-Za-z0-9_.@:|/*-]{0,200}$/.test(pattern))
    throw new StorageError(
      'INVALID_KEY',
      'A cache policy is for paths below items/, profiles/ or quarantine/view/.',
    );
  const { maxAgeSeconds, visibility } = policy;
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0 || maxAgeSeconds > YEAR_SECONDS)
    throw new StorageError('INVALID_REQUEST', `maxAgeSeconds is a whole number from 0 to ${YEAR_SECONDS}.`);
  if (isSignedKey(pattern) && visibility === 'public')
    throw new StorageError('INVALID_REQUEST', 'What needs a signature is kept by nobody else.');
  return { pattern, policy };
}

/** The Cache-Control field of a policy. */
export function cacheControlOf({ maxAgeSeconds, visibility, immutable }: CachePolicy): string {
  if (maxAgeSeconds === 0) return visibility === 'private' ? 'private, no-store' : 'no-store';
  return `${visibility}, max-age=${maxAgeSeconds}${immutable ? ', immutable' : ''}`;
}

/** `*` stands for any characters, slashes too, as in a cache behaviour of CloudFront. */
export function matchesPattern(pattern: string, path: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(path);
}
