import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ScannerReport } from '#src/http/routes/scanners.ts';
import { Photo, ReviewEntry } from '#src/http/schemas.ts';
import type { Client } from '#test/acceptance/client.ts';
import { distinctPhoto, until } from '#test/support/app.ts';
import { type ClamdServer, hasClamd, startClamd } from '#test/support/clamd-server.ts';
import { startClamdStub } from '#test/support/clamd-stub.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

const Ready = z.object({
  status: z.string(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), degraded: z.boolean().optional() })),
});
const Scanners = z.object({ scanners: z.array(ScannerReport) });
const DAY_MS = 86_400_000;
const SETTINGS = {
  SAFETY_CHECK_TIMEOUT_MS: '2000',
  QUEUE_ATTEMPTS: '3',
  QUEUE_LOCK_MS: '10000',
  QUEUE_BACKOFF_BASE_MS: '100',
  QUEUE_BACKOFF_MAX_MS: '300',
  SCANNER_CANARY_SECONDS: '1',
};

describe.skipIf(!hasClamd())('a real clamd in trouble (row 13; skipped where clamd is not installed)', () => {
  let faulty: CrashingService;
  let clamd: ClamdServer;
  let client: Client;
  let token: string;
  let item: string;

  beforeEach(async () => {
    clamd = await startClamd();
    faulty = await crashingService();
  });
  afterEach(async () => {
    await faulty.close();
    await clamd.stop();
  });

  async function start(env: Readonly<Record<string, string>> = {}) {
    const started = await faulty.start({ ...SETTINGS, CLAMD_URL: clamd.url, ...env });
    ({ client } = started);
    token = await client.token('seller-1');
    item = await client.listing(token);
    return started.service;
  }

  async function upload(): Promise<z.output<typeof Photo>> {
    const { body, filename } = await distinctPhoto();
    const file = { name: filename, type: 'image/jpeg', bytes: body };
    const reply = await client.upload(`/v1/items/${item}/photos`, file, {
      token,
      headers: { prefer: 'respond-async' },
    });
    return reply.as(Photo);
  }

  /** It waits for a person, and nobody else has seen it at any time. */
  async function expectHeld({ id }: z.output<typeof Photo>) {
    const photo = await client.untilState(id, token, 'in_review', 'failed');
    expect(photo).toMatchObject({ state: 'in_review', reason: { code: 'SCANNER_UNAVAILABLE' } });
    const history = await faulty.db
      .selectFrom('file_events')
      .select('state')
      .where('file_id', '=', id)
      .execute();
    expect(history.map(({ state }) => state)).not.toContain('published');
    expect((await client.call('GET', `/v1/photos/${id}`)).status).toBe(404);
  }

  async function readiness() {
    return (await client.call('GET', '/readyz')).as(Ready);
  }
  const untilReadiness = (name: string, is: { ok: boolean; degraded?: boolean }) =>
    until(
      `${name} to be ${JSON.stringify(is)}`,
      async () => {
        const found = (await readiness()).checks.find((check) => check.name === name);
        return found?.ok === is.ok && (found.degraded ?? false) === (is.degraded ?? false) ? found : null;
      },
      30_000,
    );
  async function scanner() {
    const admin = await client.token('admin-1', 'admin');
    return (await client.call('GET', '/v1/admin/scanners', { token: admin })).as(Scanners).scanners[0];
  }

  test('killed in the middle of a scan: the photo stays checking, and is public once clamd is back', async () => {
    // Ten tries are all there are: clamd is to be back before they are over.
    await start({
      QUEUE_BACKOFF_BASE_MS: '4000',
      QUEUE_BACKOFF_MAX_MS: '4000',
      QUEUE_ATTEMPTS: '50',
      SAFETY_CHECK_TIMEOUT_MS: '20000',
    });
    const before = await upload();
    await client.untilState(before.id, token, 'ready');
    clamd.pause();
    const photo = await upload();
    await until('the scan to be under way', async () =>
      (await client.call('GET', `/v1/photos/${photo.id}`, { token })).as(Photo).stage === 'scan'
        ? true
        : null,
    );
    await clamd.kill();
    await until('a second try', async () => {
      const row = await faulty.db
        .selectFrom('files')
        .select(['attempts', 'state'])
        .where('id', '=', photo.id)
        .executeTakeFirstOrThrow();
      expect(row.state).toBe('checking');
      return row.attempts > 1 ? true : null;
    });
    expect((await client.call('GET', `/v1/photos/${before.id}`)).status).toBe(200);
    await clamd.restart();
    await client.untilState(photo.id, token, 'ready');
  }, 90_000);

  test('stopped: photos wait, then are left to a person; what is public is served, and new ones are published again', async () => {
    await start();
    const before = await upload();
    const ready = await client.untilState(before.id, token, 'ready');
    clamd.pause();
    try {
      const photos = [await upload(), await upload()];
      for (const photo of photos) await expectHeld(photo);
      expect((await fetch(ready.variants.large?.auto ?? '')).status).toBe(200);
      expect((await client.call('POST', '/v1/items', { token, json: { title: 'Another' } })).status).toBe(
        201,
      );
      const now = await readiness();
      expect(now.status).toBe('degraded');
      expect(now.checks.find(({ name }) => name === 'scanner')).toMatchObject({ ok: false });
    } finally {
      clamd.resume();
    }
    await client.untilState((await upload()).id, token, 'ready');
  }, 90_000);

  test.each([
    ['nonsense', '1: ClamAV 1.4.6\x002: stream: FINE\0'],
    ['half an answer', '1: ClamAV 1.4.6\x002: stream: OK'],
    ['a web page', 'HTTP/1.1 200 OK\r\n\r\n2: stream: OK\0'],
  ])(
    'something that answers %s in its place publishes nothing',
    async (_name, answer) => {
      const stub = await startClamdStub((socket, text) => {
        // It is there, and says so; of files it speaks nonsense.
        if (text.endsWith('\0\0\0\0')) socket.end(answer);
        else if (text.endsWith('VERSION\0')) socket.write('1: ClamAV 1.4.6\0');
      });
      try {
        await start({ CLAMD_URL: stub.url });
        await expectHeld(await upload());
      } finally {
        await stub.close();
      }
    },
    60_000,
  );

  test('that finds nothing any more raises the alarm, and is believed again when it finds the test file', async () => {
    await start();
    await client.untilState((await upload()).id, token, 'ready');
    expect(await scanner()).toMatchObject({ outcome: 'ok', distrust: null });
    await clamd.setFindsTestFile(false);
    try {
      await untilReadiness('scanner canary', { ok: true, degraded: true });
      expect((await readiness()).status).toBe('degraded');
      expect(await scanner()).toMatchObject({ outcome: 'blind', distrust: 'blind' });
      await expectHeld(await upload());
    } finally {
      await clamd.setFindsTestFile(true);
    }
    await untilReadiness('scanner canary', { ok: true });
    expect(await scanner()).toMatchObject({ outcome: 'ok', distrust: null });
    await client.untilState((await upload()).id, token, 'ready');
  }, 90_000);

  test('that falls silent after it was blind is not believed before it has found the test file', async () => {
    await start();
    await clamd.setFindsTestFile(false);
    try {
      await untilReadiness('scanner canary', { ok: true, degraded: true });
      clamd.pause();
      await until(
        'it to be silent',
        async () => ((await scanner())?.outcome === 'silent' ? true : null),
        20_000,
      );
      expect(await scanner()).toMatchObject({ distrust: 'blind' });
    } finally {
      clamd.resume();
      await clamd.setFindsTestFile(true);
    }
    await untilReadiness('scanner canary', { ok: true });
  }, 90_000);

  test('with signatures out of date: named; refused as a verdict where that is configured', async () => {
    await clamd.dateSignatures(new Date(Date.now() - 30 * DAY_MS));
    const lenient = await start();
    await untilReadiness('scanner', { ok: true, degraded: true });
    await until('the alarm to be kept', async () =>
      (await scanner())?.problem?.includes('30 days old') ? true : null,
    );
    await client.untilState((await upload()).id, token, 'ready');
    await lenient.stop();

    await start({ SCANNER_REFUSE_OUTDATED: 'true' });
    await expectHeld(await upload());
    await clamd.dateSignatures(new Date());
    await untilReadiness('scanner', { ok: true });
    await client.untilState((await upload()).id, token, 'ready');
  }, 120_000);

  test('lets the service start in production', async () => {
    const service = await faulty.start({
      NODE_ENV: 'production',
      AUTH_JWKS_URL: 'https://id.example.org/keys',
      AUTH_ISSUER: 'https://id.example.org/',
      AUTH_AUDIENCE: 'localex-storage',
      CLAMD_URL: clamd.url,
    });
    const ready = (await service.client.call('GET', '/readyz')).as(Ready);
    expect(ready.checks.find(({ name }) => name === 'scanner')).toMatchObject({ ok: true });
  }, 60_000);

  test('a moderator sees who scanned a photo, and with which signatures', async () => {
    await start(DOUBT_ALL);
    const photo = await upload();
    await client.untilState(photo.id, token, 'in_review');
    const moderator = await client.token('moderator-1', 'moderator');
    const { photos } = (await client.call('GET', '/v1/admin/review', { token: moderator })).as(
      z.object({ photos: z.array(ReviewEntry) }),
    );
    expect(photos.find((entry) => entry.photo.id === photo.id)?.scan).toEqual({
      verdict: 'clean',
      signature: null,
      scanner: 'clamd',
      version: expect.stringMatching(/^ClamAV \d/),
      at: expect.any(String),
    });
  }, 60_000);
});
