import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { MAX_STREAMS_PER_USER } from '#src/http/stream-limits.ts';
import { startHttp, type TestService } from './http-service.ts';
import { doubles, manualEvents, PHOTO_ID, photo } from './service-doubles.ts';

const open: TestService[] = [];
const start = async (...change: Parameters<typeof startHttp>) => {
  const service = await startHttp(...change);
  open.push(service);
  return service;
};
afterEach(async () => {
  for (const service of open.splice(0)) await service.close();
});

describe('answers', () => {
  test('hold only what the schema names, whatever a service returns', async () => {
    const leaky = {
      ...photo(),
      secret: 'x',
      variants: { large: { auto: 'u', width: 1, height: 1, formats: {}, key: 'k' } },
    };
    const service = await start(doubles({ getPhoto: async () => leaky }));
    const text = await (await fetch(`${service.url}/v1/photos/${PHOTO_ID}`)).text();
    expect(text).toContain(PHOTO_ID);
    expect(text).not.toMatch(/secret|"key"/);
  });

  test('that are not of the schema are an error of ours, reported and not shown', async () => {
    const service = await start(doubles({ getPhoto: async () => ({ ...photo(), width: 0.5 }) }));
    const response = await fetch(`${service.url}/v1/photos/${PHOTO_ID}`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 'INTERNAL' });
  });

  test('to a failure name the request, and the log names it too', async () => {
    const service = await start();
    const response = await fetch(`${service.url}/v1/photos/${PHOTO_ID}`);
    const id = response.headers.get('x-request-id') ?? '';
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).toContain(id);
    expect(text).not.toContain('secret');
    expect(service.log.some((line) => line.includes(id) && line.includes('secret internals'))).toBe(true);
  });

  test('say when to come back', async () => {
    const service = await start(
      doubles({
        async getPhoto() {
          throw new StorageError('BUSY', 'Too many.', { retryAfter: 2.1 });
        },
      }),
    );
    const response = await fetch(`${service.url}/v1/photos/${PHOTO_ID}`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('3');
  });

  test('carry a strict policy, and no promise of TLS outside production', async () => {
    const { headers } = await fetch(`${(await start()).url}/healthz`);
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('strict-transport-security')).toBeNull();
    const live = await fetch(`${(await start({ production: true })).url}/healthz`);
    expect(live.headers.get('strict-transport-security')).toBe('max-age=31536000');
  });
});

describe('tokens of an identity provider', () => {
  test('are taken when its key, issuer and audience are right, and refused with the reason when not', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const other = await generateKeyPair('ES256');
    const keys = createServer((_req, res) => {
      void exportJWK(publicKey).then((key) =>
        res.end(JSON.stringify({ keys: [{ ...key, kid: 'k1', alg: 'ES256', use: 'sig' }] })),
      );
    });
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    const service = await start({
      ...doubles({}, { createItem: async () => Promise.reject(new StorageError('CONFLICT')) }),
      auth: {
        jwksUrl: `http://127.0.0.1:${portOf(keys.address())}/keys`,
        issuer: 'https://id.example',
        audience: 'localex',
        devTokens: false,
        devTokenSeconds: 60,
        devSigningKey: null,
      },
    });
    const tokenOf = (change: {
      issuer?: string;
      audience?: string;
      expires?: string;
      key?: typeof privateKey;
      sub?: string;
    }) =>
      new SignJWT({ roles: ['seller', 'emperor'] })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setSubject(change.sub ?? 'user-1')
        .setIssuer(change.issuer ?? 'https://id.example')
        .setAudience(change.audience ?? 'localex')
        .setExpirationTime(change.expires ?? '5m')
        .sign(change.key ?? privateKey);
    const ask = async (token: string) => {
      const response = await fetch(`${service.url}/v1/items`, {
        method: 'POST',
        body: '{"title":"x"}',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      });
      return `${response.status} ${await response.text()}`;
    };
    try {
      expect(await ask(await tokenOf({}))).toMatch(/^409 /);
      expect(await ask(await tokenOf({ expires: '-1m' }))).toMatch(/^401 .*expired/);
      expect(await ask(await tokenOf({ issuer: 'https://evil.example' }))).toMatch(/^401 .*not meant.*iss/);
      expect(await ask(await tokenOf({ audience: 'another' }))).toMatch(/^401 .*not meant.*aud/);
      expect(await ask(await tokenOf({ key: other.privateKey }))).toMatch(/^401 .*not genuine/);
      expect(await ask(await tokenOf({ sub: '../etc' }))).toMatch(/^401 /);
      const dev = await fetch(`${service.url}/dev/token`, { method: 'POST', body: '{"sub":"a"}' });
      expect(dev.status).toBe(404);
    } finally {
      keys.closeAllConnections();
      keys.close();
    }
  });
});

describe('event streams', () => {
  test('begin with the present, tell a burst once, and end when the service stops', async () => {
    const manual = manualEvents();
    let reads = 0;
    let position = 0;
    const service = await start({
      ...doubles({
        async getPhoto() {
          reads += 1;
          return photo({ position });
        },
      }),
      events: manual.events,
    });
    const response = await fetch(`${service.url}/v1/photos/${PHOTO_ID}/events`);
    const chunks: string[] = [];
    const done = (async () => {
      for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()))
        chunks.push(chunk);
    })();
    const sent = () => chunks.join('').match(/event: photo/g)?.length ?? 0;
    await expect.poll(sent).toBe(1);
    for (position = 1; position <= 50; position++) manual.raise();
    await expect.poll(() => chunks.join('')).toContain('"position":51');
    expect(sent()).toBe(2);
    expect(reads).toBeLessThan(5);
    await service.http.close(2_000);
    await done;
    expect(manual.listeners.size).toBe(0);
  });

  test('are so many for one user, and no more until one ends', async () => {
    const service = await start(doubles({ getPhoto: async () => photo() }));
    const headers = { authorization: `Bearer ${await service.token('seller-1')}` };
    const follow = (signal: AbortSignal) =>
      fetch(`${service.url}/v1/photos/${PHOTO_ID}/events`, { headers, signal });
    const first = new AbortController();
    const others = new AbortController();
    expect((await follow(first.signal)).status).toBe(200);
    for (let count = 1; count < MAX_STREAMS_PER_USER; count++)
      expect((await follow(others.signal)).status).toBe(200);
    const refused = await follow(others.signal);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('10');
    first.abort();
    await expect.poll(async () => (await follow(others.signal)).status).toBe(200);
    others.abort();
  });

  test('of a photo that may not be seen are refused as any request', async () => {
    const service = await start(
      doubles({
        async getPhoto() {
          throw new StorageError('NOT_FOUND');
        },
      }),
    );
    const response = await fetch(`${service.url}/v1/photos/${PHOTO_ID}/events`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('the service', () => {
  test('is ready only while everything it needs answers, and names what does not', async () => {
    const checks = [
      { name: 'database', ok: false, error: 'password of root' },
      { name: 'queue', ok: true },
    ];
    const service = await start({ ready: async () => checks });
    const response = await fetch(`${service.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'unavailable',
      checks: [
        { name: 'database', ok: false },
        { name: 'queue', ok: true },
      ],
    });
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  test('is degraded, and still ready, while something has to be looked after that it can be without', async () => {
    const checks = [
      { name: 'queue', ok: true },
      { name: 'scanner canary', ok: true, degraded: true, error: 'blind' },
      { name: 'scanner', ok: false, degraded: true, error: 'ECONNREFUSED' },
    ];
    const service = await start({ ready: async () => checks });
    const response = await fetch(`${service.url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'degraded',
      checks: [
        { name: 'queue', ok: true },
        { name: 'scanner canary', ok: true, degraded: true },
        { name: 'scanner', ok: false, degraded: true },
      ],
    });
  });

  test('lets a running request finish when it is told to stop, and idle connections do not hold it up', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: gate, resolve: go } = Promise.withResolvers<void>();
    const service = await start(
      doubles({
        async getPhoto() {
          ask();
          await gate;
          return photo();
        },
      }),
    );
    await (await fetch(`${service.url}/healthz`)).text();
    const running = fetch(`${service.url}/v1/photos/${PHOTO_ID}`);
    await asked;
    const closed = service.http.close(5_000);
    go();
    expect((await running).status).toBe(200);
    await closed;
  });

  test('serves the web app: hashed files for ever, its pages for any path that wants one', async () => {
    const webDir = await mkdtemp(join(tmpdir(), 'localex-web-'));
    await mkdir(join(webDir, 'assets'));
    await writeFile(join(webDir, 'index.html'), '<!doctype html><title>app</title>');
    await writeFile(join(webDir, 'assets', 'app-1a2b.js'), '1');
    const service = await start({ webDir });
    const get = (path: string, accept = 'text/html') =>
      fetch(`${service.url}${path}`, { headers: { accept } });
    try {
      expect((await get('/assets/app-1a2b.js')).headers.get('cache-control')).toBe(
        'public, max-age=31536000, immutable',
      );
      for (const path of ['/', '/items/bike-1']) {
        const page = await get(path);
        expect(await page.text(), path).toContain('<title>app</title>');
        expect(page.headers.get('cache-control'), path).toBe('no-cache');
      }
      for (const path of ['/v1/nothing', '/assets/missing.js', '/cdn/x'])
        expect([400, 403, 404], path).toContain((await get(path)).status);
      expect(await (await get('/..%2f..%2fetc%2fpasswd')).text()).not.toContain('root:');
      expect((await get('/items/bike-1', 'application/json')).status).toBe(404);
    } finally {
      await rm(webDir, { recursive: true, force: true });
    }
  });

  test('describes itself on a page whose policy trusts its own scripts only', async () => {
    const service = await start();
    const page = await fetch(`${service.url}/docs/`);
    const policy = page.headers.get('content-security-policy') ?? '';
    const nonce = /script-src 'nonce-([\w-]+)'/.exec(policy)?.[1] ?? 'none';
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    const html = await page.text();
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`);
    expect(html).not.toMatch(/https?:\/\//);
    expect((await fetch(`${service.url}/docs/js/scalar.js`)).status).toBe(200);
  });
});

function portOf(address: string | AddressInfo | null): number {
  return address !== null && typeof address === 'object' ? address.port : 0;
}
