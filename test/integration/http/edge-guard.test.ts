import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { Problem } from '#src/http/schemas.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const KEY = 'items/large/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const ORIGINAL = KEY.replace('large', 'original');
const VIEW = 'quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const BASE = 'https://photos.example.com/cdn';
const jpeg = randomBytes(1_000);

let server: EdgeServer;
afterEach(() => server.close());

async function open(options: Parameters<typeof startEdge>[0]): Promise<void> {
  server = await startEdge(options);
  for (const key of [KEY, ORIGINAL, VIEW]) await server.put(key, jpeg);
}
const status = async (headers: Record<string, string>, path = KEY) =>
  (await server.get(`/cdn/${path}`, headers)).status;
const from = (country: string) => ({ 'cloudfront-viewer-country': country });

describe('behind a proxy that ends TLS, the edge', () => {
  const plain = { 'x-forwarded-proto': 'http' };
  const inAMinute = () => new Date(Date.now() + 60_000);
  const signed = () => server.edge.signedUrl(VIEW, inAMinute()).slice(`${BASE}/`.length);

  test('sends viewers of plain http to https, with the whole of what they asked for', async () => {
    await open({ base: BASE, trustProxy: 1 });
    for (const source of ['store', 'memory']) {
      const answer = await server.get(`/cdn/${KEY}?a=b`, plain);
      expect(answer.status, source).toBe(301);
      expect(answer.headers, source).toMatchObject({
        location: `${BASE}/${KEY}?a=b`,
        'cache-control': 'no-store',
      });
      expect(await status({ 'x-forwarded-proto': 'https' }), source).toBe(200);
    }
    expect(await status({})).toBe(200);
    expect(await status({ 'x-forwarded-proto': 'https, http' })).toBe(301);
    expect(await status({ 'x-forwarded-proto': 'http, https' })).toBe(200);
  });

  test('does not send a signature through the clear once more', async () => {
    await open({ base: BASE, trustProxy: 1 });
    expect(await status(plain, signed())).toBe(403);
    const cookie = server.edge
      .signedCookies('quarantine/view/*', inAMinute())
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    expect(await status({ ...plain, cookie }, VIEW)).toBe(403);
    expect(await status({ 'x-forwarded-proto': 'https' }, signed())).toBe(200);
  });

  test('believes nobody when no proxy stands in front', async () => {
    await open({ base: BASE, geo: { kind: 'only', countries: ['DE'] } });
    expect(await status(plain)).toBe(200);
    expect(await status(from('FR'))).toBe(200);
  });

  test('asks for no TLS where public URLs have none', async () => {
    await open({ trustProxy: 1 });
    expect(await status(plain)).toBe(200);
  });
});

describe('with a rule of countries, the edge', () => {
  test('refuses the others with a problem that no cache keeps, also what is in memory', async () => {
    await open({ trustProxy: 1, geo: { kind: 'only', countries: ['DE', 'AT'] } });
    expect(await status(from('at'))).toBe(200);
    const answer = await server.get(`/cdn/${KEY}`, from('FR'));
    expect(answer.status).toBe(403);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
    expect(Problem.strict().parse(JSON.parse(answer.body.toString())).code).toBe('FORBIDDEN');
  });

  test('answers viewers whose country is not known, or none', async () => {
    await open({ trustProxy: 1, geo: { kind: 'except', countries: ['FR'] } });
    for (const country of ['', 'XX', 'ZZ', 'T1', 'FRA', '*'])
      expect(await status(from(country)), country).toBe(200);
    expect(await status({})).toBe(200);
    expect(await status(from('FR'))).toBe(403);
  });

  test('reads the field that the configuration names', async () => {
    await open({ trustProxy: 1, countryHeader: 'x-country', geo: { kind: 'except', countries: ['FR'] } });
    expect(await status({ 'x-country': 'FR' })).toBe(403);
    expect(await status(from('FR'))).toBe(200);
  });
});

describe('behind CloudFront, the edge', () => {
  test('answers what CloudFront cannot find by itself, and nothing else, in memory or not', async () => {
    await open({ serves: 'look-ups' });
    const thumbnail = KEY.replace('items/large/bike-1', 'profiles/thumbnail/user-1');
    await server.put(thumbnail, jpeg);
    server.thumbnails.set('user-1', thumbnail);
    for (const time of ['first', 'second']) {
      expect(await status({}, 'profiles/thumbnail/user-1/current'), time).toBe(200);
      expect(await status({}, ORIGINAL.replace('.jpg', '.auto')), time).toBe(200);
      for (const path of [ORIGINAL, KEY, KEY.replace('.jpg', '.auto'), thumbnail, VIEW])
        expect(await status({}, path), `${time} ${path}`).toBe(404);
    }
    const signed = server.edge.signedUrl(VIEW, new Date(Date.now() + 60_000));
    expect(await status({}, signed.slice(signed.indexOf('/cdn/') + '/cdn/'.length))).toBe(404);
  });
});
