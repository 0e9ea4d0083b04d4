import type { FastifyReply, FastifyRequest } from 'fastify';
import { StorageError } from '#src/domain/errors.ts';
import type { Allowance, RateLimit, RateLimiter } from '#src/ports/rate-limiter.ts';
import type { App } from './deps.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Costs more than reading rows: callers have a smaller number of it, counted for this route alone. */
    costly?: boolean;
  }
  interface FastifyRequest {
    /** What this request was counted against. */
    counted: Counted[];
  }
}

/** How much a caller may ask for. */
export interface RequestRates {
  /** Where requests are counted, and where uploads are: they may be too seldom to matter where requests would. */
  readonly limiters: { readonly requests: RateLimiter; readonly uploads: RateLimiter };
  /** Of one user, and of one address without a token. */
  readonly requestsPerMinute: { readonly user: number; readonly address: number };
  /** Of one user, or address, on one route that is costly. */
  readonly costlyPerMinute: number;
  readonly uploadsPerMinute: number;
  /** Bytes that one user may send. */
  readonly uploadBytesPerHour: number;
}

interface Counted {
  readonly limit: RateLimit;
  readonly allowance: Allowance;
}

const MINUTE = 60;

/**
 * Counts requests by user, or by address where there is no token, and on costly routes once more by route. Services ask
 * for many users and have no limit of their own. RATE_LIMITED with the seconds until more is allowed. `RateLimit` header
 * fields say what is left (draft-ietf-httpapi-ratelimit-headers-10).
 */
export function limitRequests(
  app: App,
  rates: Omit<RequestRates, 'uploadsPerMinute' | 'uploadBytesPerHour'>,
): void {
  const limits = {
    user: { name: 'user', quota: rates.requestsPerMinute.user, windowSeconds: MINUTE },
    address: { name: 'address', quota: rates.requestsPerMinute.address, windowSeconds: MINUTE },
    route: { name: 'route', quota: rates.costlyPerMinute, windowSeconds: MINUTE },
  };
  app.decorateRequest('counted');
  app.addHook('onRequest', async (request, reply) => {
    request.counted = [];
    if (!request.url.startsWith('/v1/') || request.who?.roles.includes('service') === true) return;
    const caller = request.who === null ? addressOf(request) : request.who.userId;
    const bound = request.who === null ? limits.address : limits.user;
    await countRequest(rates.limiters.requests, { request, reply }, bound, caller);
    const { url, config } = request.routeOptions;
    if (config.costly !== true) return;
    const key = `${request.method} ${url} ${bound.name} ${caller}`;
    await countRequest(rates.limiters.requests, { request, reply }, limits.route, key);
  });
}

/** Counts what a request costs, tells its client what is left, and refuses it when that is not enough. */
export async function countRequest(
  limiter: RateLimiter,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  limit: RateLimit,
  key: string,
  cost = 1,
): Promise<void> {
  const allowance = await limiter.take(limit, key, cost);
  request.counted.push({ limit, allowance });
  reply.headers(headersFor(request.counted));
  if (!allowance.isAllowed)
    throw new StorageError('RATE_LIMITED', sentenceFor(limit), { retryAfter: allowance.resetSeconds });
}

function headersFor(counted: readonly Counted[]) {
  const policies = counted.map(({ limit }) => `"${limit.name}";q=${limit.quota};w=${limit.windowSeconds}`);
  const standing = counted.map(
    ({ limit, allowance }) => `"${limit.name}";r=${allowance.left};t=${Math.ceil(allowance.resetSeconds)}`,
  );
  return { 'ratelimit-policy': policies.join(', '), ratelimit: standing.join(', ') };
}

function sentenceFor({ name, quota, windowSeconds }: RateLimit): string {
  const within = windowSeconds === MINUTE ? 'a minute' : 'an hour';
  if (name === 'upload') return `At most ${quota} uploads within ${within}; wait a moment.`;
  if (name === 'upload-bytes') return `At most ${quota} bytes may be sent within ${within}; go on later.`;
  return `At most ${quota} requests within ${within}; wait a moment.`;
}

/** Of IPv6 the network: a line gets 64 bits of addresses (RFC 6177), and may use another for each request. */
function addressOf({ ip }: FastifyRequest): string {
  if (!ip.includes(':') || ip.startsWith('::ffff:')) return ip;
  const [before = '', after] = ip.split('::');
  const head = before.split(':').filter((part) => part !== '');
  const tail = after === undefined ? [] : after.split(':').filter((part) => part !== '');
  const zeros = after === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
