import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Photo, SignedUrl } from '#src/http/schemas.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { USES_BUCKET } from '#test/support/storage-under-test.ts';
import { addressesOf, type Client, clientOf, photoFile } from './client.ts';

const SHOP = 'https://shop.example';
let service: RunningService;
let client: Client;
let token: string;
let places: Readonly<
  Record<string, { path: string; token?: string; accept?: string; status?: number; method?: string }>
>;

beforeAll(async () => {
  service = await startService({
    env: { LOG_LEVEL: 'error', CORS_ORIGINS: `${SHOP}, https://admin.example` },
  });
  client = clientOf(service.url);
  token = await client.token('seller-1', 'seller');
  const item = await client.listing(token);
  const uploaded = await client.upload(`/v1/items/${item}/photos`, await photoFile('lake.jpg'), { token });
  const photo = await client.untilState(uploaded.as(Photo).id, token, 'ready');
  const signed = await client.call('POST', `/v1/photos/${photo.id}/signed-url`, {
    token,
    json: { variant: 'thumbnail', expiresIn: 60 },
  });
  const document = await client.upload(
    '/v1/users/seller-1/verification-documents',
    await photoFile('dogs.jpg'),
    { token },
  );
  const { id } = document.as(Photo);
  await client.untilState(id, token, 'ready');
  const { objects, urls } = addressesOf(photo);
  places = {
    'the API': { path: `/v1/items/${item}` },
    'the API to its owner': { path: `/v1/items/${item}/photos`, token },
    'a problem': { path: '/v1/items/none', status: 404 },
    'a problem without a token': { path: '/v1/admin/audit', status: 401 },
    'an identity document': { path: `/v1/verification-documents/${id}/content`, token },
    'the web app': { path: '/', accept: 'text/html' },
    'a page of the web app': { path: `/items/${item}`, accept: 'text/html' },
    'the reference': { path: '/docs/', accept: 'text/html' },
    'the OpenAPI document': { path: '/openapi.json' },
    'a health check': { path: '/healthz' },
    'nothing at all': { path: '/there/is/nothing', status: 404 },
    'a photo at the edge': { path: objects[0]?.url ?? '' },
    'a negotiated photo': { path: urls.find((url) => url.endsWith('.auto')) ?? '' },
    'a signed URL': { path: signed.as(SignedUrl).url },
    'a miss at the edge': { path: '/cdn/items/original/none/none.jpg', status: 404 },
    // Where there is a bucket it answers its URLs itself.
    'a forged URL of the store': {
      path: '/store/a?expires=9999999999&signature=x',
      status: USES_BUCKET ? 404 : 403,
    },
    'a wrong percent-encoding': { path: '/v1/items/%E0%A4%A', status: 400 },
  };
});
afterAll(() => service.stop());

const NAMES = [
  'the API',
  'the API to its owner',
  'a problem',
  'a problem without a token',
  'an identity document',
  'the web app',
  'a page of the web app',
  'the reference',
  'the OpenAPI document',
  'a health check',
  'nothing at all',
  'a photo at the edge',
  'a negotiated photo',
  'a signed URL',
  'a miss at the edge',
  'a forged URL of the store',
  'a wrong percent-encoding',
] as const;

async function ask(name: string, headers: Record<string, string> = {}): Promise<Response> {
  const place = places[name];
  if (place === undefined) throw new Error(`Expected ${name} in the table`);
  const response = await fetch(place.path.startsWith('http') ? place.path : `${service.url}${place.path}`, {
    redirect: 'manual',
    headers: {
      ...(place.token !== undefined && { authorization: `Bearer ${place.token}` }),
      ...(place.accept !== undefined && { accept: place.accept }),
      ...headers,
    },
  });
  await response.arrayBuffer();
  expect(response.status).toBe(place.status ?? 200);
  return response;
}

/** What a policy says of one kind of thing. */
function directive(policy: string, name: string): string | undefined {
  return policy
    .split(';')
    .map((part) => part.trim())
    .find((part) => part === name || part.startsWith(`${name} `));
}

describe.each(NAMES)('%s', (name) => {
  test('has a type that is not guessed at, and a policy that lets no foreign script run', async () => {
    const { headers } = await ask(name);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const policy = headers.get('content-security-policy') ?? '';
    expect(directive(policy, 'default-src')).toMatch(/^default-src '(none|self)'$/);
    expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*(unsafe-inline|https?:|\*)/);
    const isSandboxed = directive(policy, 'sandbox') !== undefined;
    const isFramed = directive(policy, 'frame-ancestors') === "frame-ancestors 'none'";
    expect(isSandboxed || isFramed).toBe(true);
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test('says how long it may be kept: only what is public for ever', async () => {
    const cacheControl = (await ask(name)).headers.get('cache-control') ?? '';
    const isPublic = ['a photo at the edge', 'a negotiated photo', 'a signed URL'].includes(name);
    expect(cacheControl).toMatch(isPublic ? /immutable|private, no-store/ : /no-store|no-cache/);
  });

  test('is open to pages of other origins only where it is named, and never with credentials', async () => {
    // Pictures need no leave to be shown, and what cannot be parsed is told to nobody's script.
    const isEdge = /edge|negotiated|signed URL|percent-encoding/.test(name);
    const shop = (await ask(name, { origin: SHOP })).headers;
    const stranger = (await ask(name, { origin: 'https://evil.example' })).headers;
    expect(stranger.get('access-control-allow-origin')).toBeNull();
    for (const headers of [shop, stranger])
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(shop.get('access-control-allow-origin')).toBe(isEdge ? null : SHOP);
  });
});

describe('a preflight', () => {
  const preflight = (origin: string, path = '/v1/items') =>
    fetch(`${service.url}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,idempotency-key',
      },
    });

  test.each(['/v1/items', '/v1/uploads/tus/x', '/v1/uploads/form', '/v1/admin/audit'])(
    'from an allowed origin is answered without a token: %s',
    async (path) => {
      const answer = await preflight(SHOP, path);
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(SHOP);
      expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH');
      expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization');
      expect(answer.headers.get('vary')).toContain('Origin');
    },
  );

  test.each(['https://evil.example', 'null', `${SHOP}.evil.example`, 'http://shop.example', `${SHOP}:444`])(
    'from another origin is told nothing: %s',
    async (origin) => {
      const answer = await preflight(origin);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('access-control-allow-methods')).toBeNull();
    },
  );
});
