import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Claim, Decision, ReviewEntry } from '../../../web/src/api/review.ts';
import { type DeskApi, ReviewDesk, UNDO_MS } from '../../../web/src/review/desk.ts';
import policy from '../../../policies/moderation.json' with { type: 'json' };
import { isDisturbingLabel } from '../../../web/src/review/disturbing.ts';
import { isDisturbing, refusalOf } from '../../../web/src/review/words.ts';
import { photo } from '#test/integration/http/service-doubles.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function entry(id: string, change: Partial<ReviewEntry> = {}): ReviewEntry {
  return {
    photo: { ...photo({ id, state: 'in_review' }), warnings: [], variants: {} },
    source: 'moderation',
    findings: [],
    item: null,
    scan: null,
    reason: null,
    viewUrl: null,
    appeal: null,
    reports: [],
    waitingSince: '2026-01-05T09:30:00.000Z',
    ...change,
  };
}

/** A queue of so many photos, as the service keeps it for one moderator. */
function queueOf(count: number) {
  const left = new Map(Array.from({ length: count }, (_, index) => [`p${index}`, entry(`p${index}`)]));
  const decided: [string, Decision][] = [];
  const claimed = (photos: ReviewEntry[], missed: Claim['missed'] = []): Claim => ({
    photos,
    claimed: photos.map((one) => one.photo.id),
    missed,
    waiting: left.size,
  });
  const releaseClaims = vi.fn(async () => {});
  const api: DeskApi = {
    claimNext: async (request) =>
      claimed(
        [...left.values()].filter((one) => !request.except.includes(one.photo.id)).slice(0, request.count),
      ),
    renewClaims: async (ids) =>
      claimed(
        [],
        ids.filter((id) => !left.has(id)).map((id) => ({ id, code: 'ALREADY_DECIDED' })),
      ),
    releaseClaims,
    decide: async (id, decision) => {
      if (!left.delete(id)) throw new Error('ALREADY_DECIDED');
      decided.push([id, decision]);
    },
  };
  return { api, left, decided, releaseClaims };
}

async function opened(count: number, onRefused = vi.fn()) {
  const queue = queueOf(count);
  const desk = new ReviewDesk(queue.api, onRefused);
  desk.open();
  await vi.advanceTimersByTimeAsync(0);
  return { ...queue, desk, ids: () => desk.snapshot().entries.map((one) => one.photo.id) };
}

test('a decision is sent with the next one, or after a while; until then it can be taken back to its place', async () => {
  const { desk, decided, ids } = await opened(4);
  desk.decide('p1', { decision: 'approve' });
  expect(ids()).toEqual(['p0', 'p2', 'p3']);
  expect(desk.snapshot()).toMatchObject({ waiting: 3, canUndo: true });
  expect(desk.undo()).toBe('p1');
  expect(ids()).toEqual(['p0', 'p1', 'p2', 'p3']);
  expect(desk.snapshot()).toMatchObject({ waiting: 4, canUndo: false });
  await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
  expect(decided).toEqual([]);

  desk.decide('p1', { decision: 'approve' });
  desk.decide('p0', { decision: 'reject', reasonCode: 'weapon' });
  await vi.advanceTimersByTimeAsync(0);
  expect(decided.map(([id]) => id)).toEqual(['p1']);
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(decided.map(([id]) => id)).toEqual(['p1', 'p0']);
  expect(desk.undo()).toBeNull();
  await desk.close();
});

test('photos are claimed ahead, and none that was decided comes back', async () => {
  const { desk, decided, ids } = await opened(60);
  expect(ids()).toHaveLength(20);
  const seen = new Set<string>();
  for (let next = ids()[0]; next !== undefined; next = ids()[0]) {
    expect(seen.has(next)).toBe(false);
    seen.add(next);
    desk.decide(next, { decision: 'approve' });
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(seen.size).toBe(60);
  expect(desk.snapshot().waiting).toBe(0);
  await desk.close();
  expect(decided).toHaveLength(60);
});

test('a full desk takes no more, however long it is open, and tells how many wait', async () => {
  const { desk, left, ids } = await opened(60);
  for (let more = 60; more < 65; more += 1) left.set(`p${more}`, entry(`p${more}`));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ids()).toHaveLength(20);
  expect(desk.snapshot().waiting).toBe(65);
  await desk.close();
});

test('leaving sends what is decided before the rest is given back', async () => {
  const { desk, decided, releaseClaims } = await opened(3);
  desk.decide('p0', { decision: 'approve' });
  await desk.close();
  expect(decided).toHaveLength(1);
  expect(releaseClaims).toHaveBeenCalledOnce();
});

test('what somebody else has decided leaves the desk when the claims are renewed', async () => {
  const { desk, left, ids } = await opened(3);
  left.delete('p1');
  await vi.advanceTimersByTimeAsync(130_000);
  expect(ids()).toEqual(['p0', 'p2']);
  await desk.close();
});

test('a decision that is refused is told, and holds up no other', async () => {
  const onRefused = vi.fn();
  const { desk, left, decided } = await opened(3, onRefused);
  left.delete('p0');
  desk.decide('p0', { decision: 'approve' });
  desk.decide('p1', { decision: 'approve' });
  await desk.close();
  expect(onRefused).toHaveBeenCalledOnce();
  expect(decided.map(([id]) => id)).toEqual(['p1']);
});

test('refusing means rejecting in review and taking down elsewhere', () => {
  expect(refusalOf(entry('a'))).toBe('reject');
  const shown = entry('b');
  expect(refusalOf({ ...shown, photo: { ...shown.photo, state: 'ready' } })).toBe('takedown');
});

test('what was not checked, or may disturb, is blurred', () => {
  const finding = {
    source: 'moderation',
    label: 'porn',
    confidence: 0.9,
    region: null,
    details: {},
  } as const;
  expect(isDisturbing(entry('a', { findings: [finding] }))).toBe(true);
  expect(isDisturbing(entry('b', { source: 'unchecked' }))).toBe(true);
  expect(isDisturbing(entry('c', { reports: [{ reasonCode: 'violence', count: 1 }] }))).toBe(true);
  expect(isDisturbing(entry('d', { findings: [{ ...finding, label: 'phone' }] }))).toBe(false);
});

test('of the labels of the shipped policy only harmless ones are not blurred, and what no list knows is', () => {
  const labels = Object.keys(policy.labels);
  const shown = labels.filter((label) => !isDisturbingLabel(label));
  expect(shown.join(' ')).toBe(
    'kissing swimwear tobacco alcohol rude_gestures gambling phone email url qr barcode same_photo_elsewhere',
  );
  for (const label of [
    'disturbing',
    'self_harm',
    'gun',
    'banned_picture',
    'a_label_of_tomorrow',
    'constructor',
  ])
    expect(isDisturbingLabel(label)).toBe(true);
  expect(isDisturbingLabel('same_photo_elsewhere')).toBe(false);
});
