import { afterEach, expect, test } from 'vitest';
import { startHttp, type TestService } from './http-service.ts';

const open: TestService[] = [];
afterEach(async () => {
  for (const service of open.splice(0)) await service.close();
});

async function ask(headers: Record<string, string>, change: Parameters<typeof startHttp>[0] = {}) {
  const service = await startHttp(change);
  open.push(service);
  const payload = { sub: 'admin-1', roles: ['admin'] };
  const token = await service.http.app.inject({ method: 'POST', url: '/dev/token', headers, payload });
  const read = await service.http.app.inject({ method: 'GET', url: '/healthz', headers });
  return [token.statusCode, read.statusCode];
}

test.each([
  { host: 'localhost:3000' },
  { host: '127.0.0.1:3000' },
  { host: '127.8.9.1' },
  { host: '[::1]:3000' },
  { host: 'localhost:3000', origin: 'http://localhost:5173' },
  { host: 'photos.example', origin: 'https://photos.example' },
])('development mode answers %o', async (headers) => {
  expect(await ask(headers, { publicUrl: () => 'https://photos.example' })).toEqual([200, 200]);
});

test.each([
  { host: 'evil.example:3000' },
  { host: '127.0.0.1.evil.example' },
  { host: 'localhost.evil.example' },
  { host: '127.evil.example' },
  { host: 'user@evil.example' },
])('development mode gives nothing to %o, whose name was made to point here', async (headers) => {
  expect(await ask(headers)).toEqual([403, 403]);
});

test.each(['https://evil.example', 'null', 'http://localhost.evil.example'])(
  'development mode gives no token to a page of %s',
  async (origin) => {
    expect(await ask({ host: 'localhost', origin })).toEqual([403, 200]);
  },
);

test('where there are no development tokens any name is answered', async () => {
  const auth = {
    jwksUrl: 'http://127.0.0.1:1/keys',
    issuer: null,
    audience: null,
    devTokens: false,
    devTokenSeconds: 60,
    devSigningKey: null,
  };
  expect(await ask({ host: 'photos.example' }, { auth })).toEqual([404, 200]);
});
