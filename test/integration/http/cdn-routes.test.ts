import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '#src/http/schemas.ts';
import type { Run, RunsService } from '#src/services/runs.service.ts';
import { startHttp, type TestService } from './http-service.ts';
import { doubles } from './service-doubles.ts';

const KEY = 'items/large/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const ROUTES = ['/v1/admin/cdn/invalidations', '/v1/admin/cdn/warm'] as const;

let service: TestService;
let asked: { kind: string; keys: unknown; dryRun: boolean }[];
beforeAll(async () => {
  const runs: RunsService = {
    ...doubles().runs,
    async start(who, kind, params, { dryRun }) {
      asked.push({ kind, keys: params['keys'], dryRun });
      return { ...RUN, kind, dryRun, params, requestedBy: who.userId };
    },
  };
  service = await startHttp({ runs });
});
beforeEach(() => {
  asked = [];
});
afterAll(() => service.close());

const RUN: Run = {
  id: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
  kind: 'cdn-warm',
  state: 'queued',
  dryRun: false,
  params: {},
  requestedBy: 'admin-1',
  progress: { done: 0, total: null, note: null },
  result: null,
  reason: null,
  cancelRequested: false,
  createdAt: '2026-11-24T12:00:00.000Z',
  startedAt: null,
  finishedAt: null,
};

async function post(path: string, body: unknown, role: string | null = 'admin') {
  const token = role === null ? null : await service.token('somebody', [role]);
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

describe.each(ROUTES)('POST %s', (path) => {
  test('starts a run for an admin, each key once', async () => {
    const { status, body } = await post(path, { keys: [KEY, KEY] });
    expect(status).toBe(202);
    expect(body).toMatchObject({ id: RUN.id, params: { keys: [KEY] } });
    expect(asked).toEqual([
      { kind: path.endsWith('warm') ? 'cdn-warm' : 'cdn-invalidation', keys: [KEY], dryRun: false },
    ]);
    expect((await post(path, { keys: [KEY], dryRun: true })).body).toMatchObject({ dryRun: true });
  });

  test.each(['seller', 'moderator', 'service'])('is not for a %s, whatever is asked', async (role) => {
    for (const keys of [[KEY], ['temp/x']]) {
      const { status, body } = await post(path, { keys }, role);
      expect(status).toBe(403);
      expect(Problem.strict().parse(body).code).toBe('FORBIDDEN');
    }
    expect(asked).toEqual([]);
  });

  test('needs a token', async () => {
    expect((await post(path, { keys: [KEY] }, null)).status).toBe(401);
  });

  test.each([
    ['temp/uploads/*'],
    ['verification/documents/u/x.enc'],
    ['quarantine/raw/x'],
    ['/items/large/a.jpg'],
    ['items/*/x.jpg'],
    ['items/../temp/x'],
    ['items/%2e%2e/temp/x'],
    ['items/a\0b'],
    ['https://cdn.example.com/items/x.jpg'],
    ['*'],
  ])('refuses %s, and starts nothing, also beside good keys', async (key) => {
    const { status, body } = await post(path, { keys: [KEY, key] });
    expect(status).toBe(400);
    expect(Problem.strict().parse(body).code).toBe('INVALID_KEY');
    expect(asked).toEqual([]);
  });

  test('takes a thousand keys of any length, and no more, nor none', async () => {
    const key = (index: number) => `items/large/${'a'.repeat(900)}/${index}.jpg`;
    const keys = Array.from({ length: 1_000 }, (_, index) => key(index));
    expect((await post(path, { keys })).status).toBe(202);
    expect((await post(path, { keys: [...keys, key(1_000)] })).status).toBe(400);
    for (const body of [{ keys: [] }, { keys: 'items/*' }, {}, { keys: [''] }])
      expect((await post(path, body)).status, JSON.stringify(body)).toBe(400);
  });
});

test('a prefix is purged, and not warmed', async () => {
  expect((await post(ROUTES[0], { keys: ['items/large/bike-1/*', 'quarantine/view/*'] })).status).toBe(202);
  for (const key of ['items/large/bike-1/*', 'quarantine/view/x.jpg'])
    expect((await post(ROUTES[1], { keys: [key] })).status, key).toBe(400);
});
