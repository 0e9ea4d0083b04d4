import { afterAll, beforeAll, expect, test } from 'vitest';
import { listCanaries } from '#src/db/scanner-canaries.ts';
import { StorageError } from '#src/domain/errors.ts';
import { tryScanner } from '#src/jobs/scanner-canary.ts';
import type { ScanResult } from '#src/ports/scanner.ts';
import {
  ADMIN,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  SELLER,
  startApp,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';
import { eicarBehindJpeg } from '#test/support/hostile.ts';

let app: TestApp;
let verdictOf: (real: ScanResult) => ScanResult = (real) => real;
let health: { version: string; problem: string | null };

beforeAll(async () => {
  app = await startApp({
    env: { QUEUE_ATTEMPTS: '2', SCANNER_CANARY_SECONDS: '3600' },
    jobs: ({ scanner }) => ({
      scanner: {
        ...scanner,
        scan: async (body, signal) => verdictOf(await scanner.scan(body, signal)),
        ping: async () => health,
      },
    }),
  });
});
afterAll(() => app.close());

const clean = (real: ScanResult): ScanResult => ({ ...real, verdict: 'clean', signature: null });
const infected = (real: ScanResult): ScanResult => ({ ...real, verdict: 'infected', signature: 'Any' });
const silent = (): ScanResult => {
  throw new StorageError('SCANNER_UNAVAILABLE');
};

async function tried(how: typeof verdictOf, problem: string | null = null) {
  verdictOf = how;
  health = { version: 'rules 2', problem };
  await tryScanner(app.jobs);
  const [row] = await app.db.selectFrom('scanner_canaries').selectAll().execute();
  return row;
}

async function settled(body: Uint8Array) {
  const who = newSeller();
  const file = { filename: 'x.jpg', type: null, body };
  const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), file, { waitMs: 0 });
  return untilState(app, photo.id, 'ready', 'in_review', 'rejected', 'failed');
}
const photo = async () => (await distinctPhoto()).body;

test('the scanner is tried when the worker starts', async () => {
  const row = await until(
    'the first trial',
    async () => (await listCanaries(app.db, new Date(0)))[0] ?? null,
  );
  expect(row).toMatchObject({ scanner: 'basic', outcome: 'ok', distrust: null });
});

test('blind: nothing it calls clean is published, what it finds is refused, and only the test file clears it', async () => {
  expect(await tried(clean)).toMatchObject({ outcome: 'blind', distrust: 'blind' });
  expect(app.lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      details: expect.objectContaining({ alarm: 'scanner canary', outcome: 'blind' }),
    }),
  );
  expect(await tried(silent)).toMatchObject({ outcome: 'silent', distrust: 'blind' });
  verdictOf = (real) => real;
  expect(await settled(await photo())).toMatchObject({
    state: 'in_review',
    reason_code: 'SCANNER_UNAVAILABLE',
  });
  expect(await settled((await eicarBehindJpeg()).bytes)).toMatchObject({
    state: 'rejected',
    reason_code: 'MALWARE_FOUND',
  });
  expect(await tried((real) => real)).toMatchObject({ outcome: 'ok', distrust: null });
  expect(await settled(await photo())).toMatchObject({ state: 'ready' });
});

test('accusing: no photo is rejected on its word, nor published', async () => {
  expect(await tried(infected)).toMatchObject({ outcome: 'accusing', distrust: 'accusing' });
  expect(await settled(await photo())).toMatchObject({
    state: 'in_review',
    reason_code: 'SCANNER_UNAVAILABLE',
  });
  expect(await tried((real) => real)).toMatchObject({ outcome: 'ok' });
});

test('an outcome keeps the time at which it began', async () => {
  const first = await tried((real) => real);
  const second = await tried((real) => real);
  expect(second?.since).toEqual(first?.since);
  expect(second?.checked_at.getTime()).toBeGreaterThanOrEqual(first?.checked_at.getTime() ?? Infinity);
  const third = await tried(clean);
  expect(third?.since).toEqual(third?.checked_at);
  await tried((real) => real);
});

test('moderators and admins see it, with what the scanner needs; others do not', async () => {
  await tried((real) => real, 'its signatures are 9 days old');
  for (const who of [MODERATOR, ADMIN])
    expect(await app.scanners.list(who)).toEqual([
      expect.objectContaining({ scanner: 'basic', outcome: 'ok', problem: 'its signatures are 9 days old' }),
    ]);
  await expect(app.scanners.list(SELLER)).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
