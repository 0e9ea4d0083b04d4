import type { App } from './deps.ts';

/** What scripts of another origin may send and see; the rest is none of their business. */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Prefer',
  'Tus-Resumable',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
];
const ANSWER_HEADERS = [
  'Content-Disposition',
  'ETag',
  'Location',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Tus-Resumable',
  'Upload-Length',
  'Upload-Offset',
  'X-Request-Id',
];
/** How long a browser may remember what it was told. Seconds. */
const REMEMBER_SECONDS = 600;

/**
 * Lets pages of these origins call the API; others get no word of it, and their browsers keep the answer from them. No
 * credentials: callers send a bearer token by their own hand, so that no page can act by somebody's cookies.
 */
export function allowOrigins(app: App, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return;
    reply.header('access-control-allow-origin', origin);
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight) {
      reply.header('access-control-expose-headers', ANSWER_HEADERS.join(', '));
      return;
    }
    await reply
      .code(204)
      .headers({
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': REQUEST_HEADERS.join(', '),
        'access-control-max-age': String(REMEMBER_SECONDS),
      })
      .send();
  });
}
