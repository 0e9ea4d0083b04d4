import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketLifecycle } from '#src/domain/bucket-lifecycle.ts';
import { FILE_KINDS, FILE_STATES } from '#src/domain/file-state.ts';
import {
  RETENTION,
  RETENTION_RULE_IDS,
  RETENTION_RULES,
  type RetainedObject,
  retentionDue,
} from '#src/domain/retention.ts';
import { whatBucketDoes } from '#test/support/bucket-rules.ts';

const DAY = 86_400_000;
const NOW = new Date('2026-06-15T12:00:00Z');
const ago = (days: number) => new Date(NOW.getTime() - days * DAY);

function original(
  change: Partial<RetainedObject> = {},
  file: Partial<RetainedObject['file']> = {},
): RetainedObject {
  return {
    key: 'items/original/bike-42/photo.jpg',
    bytes: 3_000_000,
    writtenAt: ago(900),
    classSince: ago(900),
    held: false,
    file: {
      state: 'ready',
      lastActivityAt: ago(400),
      lastUsedAt: ago(400),
      decidedAt: ago(900),
      ...file,
    },
    ...change,
  };
}
const due = (object: RetainedObject) => retentionDue(object, NOW)?.id ?? null;

describe('the table of retention', () => {
  test('keeps the plan: a day, twelve months, twelve months, seven years', () => {
    expect(RETENTION['temporary-objects'].days).toBe(1);
    expect(RETENTION['abandoned-uploads'].days).toBe(1);
    expect(RETENTION['item-originals-archive']).toMatchObject({ days: 365, action: { to: 'GLACIER' } });
    expect(RETENTION['profile-photos']).toMatchObject({ days: 365, action: { to: 'STANDARD_IA' } });
    expect(RETENTION.documents).toMatchObject({ days: 2557, action: { to: 'GLACIER' } });
  });

  test('leaves to the bucket only what needs age, prefix and size', () => {
    const byBucket = RETENTION_RULES.filter((rule) => rule.enforced.by === 'bucket');
    expect(byBucket.map((rule) => [rule.id, rule.clock])).toEqual([
      ['item-originals-tier', 'written'],
      ['old-versions', 'written'],
    ]);
    expect(RETENTION_RULES.map((rule) => rule.id)).toEqual([...RETENTION_RULE_IDS]);
  });
});

describe('what is due', () => {
  test('an original is archived twelve months after the last activity, not after its upload', () => {
    expect(due(original())).toBe('item-originals-archive');
    expect(due(original({}, { lastActivityAt: ago(364.9) }))).toBe('item-originals-tier');
  });

  test('what was brought back stays at hand for a month', () => {
    expect(due(original({ classSince: ago(29) }))).toBe('item-originals-tier');
    expect(due(original({ classSince: ago(31) }))).toBe('item-originals-archive');
  });

  test('renditions stay', () => {
    for (const name of ['large', 'medium', 'thumbnail'])
      expect(due(original({ key: `items/${name}/bike-42/photo.webp` }))).toBeNull();
  });

  test('only what is ready is moved', () => {
    const moved = FILE_STATES.filter((state) => due(original({}, { state })) === 'item-originals-archive');
    expect(moved).toEqual(['ready']);
  });

  test('temporary bytes go after a day, unless somebody still has to read them', () => {
    const temporary = (state: (typeof FILE_STATES)[number]) =>
      due(original({ key: 'temp/uploads/1', writtenAt: ago(1.1) }, { state }));
    for (const state of ['pending', 'received', 'checking', 'published'] as const)
      expect(temporary(state)).toBeNull();
    for (const state of ['ready', 'failed', 'deleted', 'rejected'] as const)
      expect(temporary(state)).toBe('temporary-objects');
    expect(due(original({ key: 'temp/uploads/1', writtenAt: ago(1.1), file: null }))).toBe(
      'temporary-objects',
    );
    expect(due(original({ key: 'temp/uploads/1', writtenAt: ago(0.9), file: null }))).toBeNull();
  });

  test('nothing is due that counts from a time which is not known', () => {
    const unknown = { lastActivityAt: null, lastUsedAt: null, decidedAt: null };
    expect(due(original({}, unknown))).toBe('item-originals-tier');
    expect(due(original({ key: 'profiles/original/u/1' }, unknown))).toBeNull();
    expect(due(original({ key: 'quarantine/raw/1' }, { ...unknown, state: 'rejected' }))).toBeNull();
  });

  test('quarantine is kept for six months after the decision, and without limit before one', () => {
    const held = (state: (typeof FILE_STATES)[number], decided: number) =>
      due(original({ key: 'quarantine/raw/1' }, { state, decidedAt: ago(decided) }));
    expect(held('rejected', 183)).toBeNull();
    expect(held('rejected', 185)).toBe('refused-photos');
    expect(held('taken_down', 185)).toBe('refused-photos');
    expect(held('in_review', 3_000)).toBeNull();
  });
});

const anyObject = fc
  .record({
    prefix: fc.constantFrom(
      'temp/uploads/',
      'items/original/a/',
      'items/large/a/',
      'items/thumbnail/a/',
      'profiles/original/u/',
      'profiles/thumbnail/u/',
      'quarantine/raw/',
      'quarantine/view/',
      'verification/documents/u/',
      'audit/anchors/',
    ),
    bytes: fc.oneof(fc.nat(20_000_000), fc.integer({ min: 1_048_570, max: 1_048_580 })),
    age: fc.oneof(fc.double({ min: 0, max: 4_000, noNaN: true }), fc.double({ min: 0, max: 4, noNaN: true })),
    still: fc.double({ min: 0, max: 1, noNaN: true }),
    held: fc.boolean(),
    state: fc.constantFrom(...FILE_STATES),
    named: fc.boolean(),
  })
  .map(({ prefix, bytes, age, still, held, state, named }): RetainedObject => {
    const lately = ago(age * still);
    const facts = { state, lastActivityAt: lately, lastUsedAt: lately, decidedAt: lately };
    return {
      key: `${prefix}${bytes}`,
      bytes,
      writtenAt: ago(age),
      classSince: ago(age),
      held: held && named,
      file: named ? facts : null,
    };
  });

/** Files whose bytes under `temp/` have to be read are out of it within a day: the sweep ends, completes or moves them. */
const isSwept = (object: RetainedObject) => {
  const waits =
    object.file !== null && ['pending', 'received', 'checking', 'published'].includes(object.file.state);
  return !(object.key.startsWith('temp/') && (waits || object.held));
};

describe('the bucket’s own rules', () => {
  const rules = bucketLifecycle();

  test('do nothing that the service would not have done before', () => {
    fc.assert(
      fc.property(anyObject.filter(isSwept), (object) => {
        const verdict = whatBucketDoes(rules, object, NOW);
        if (verdict?.does !== 'delete') return;
        const ours = retentionDue(object, NOW);
        expect(ours?.action.kind).toBe('delete');
        // A day before S3 could, ours was due.
        expect(retentionDue(object, ago(1))?.action.kind).toBe('delete');
      }),
      { numRuns: 5_000 },
    );
  });

  test('tier exactly what the table says, a midnight late at most', () => {
    fc.assert(
      fc.property(anyObject, (object) => {
        const verdict = whatBucketDoes(rules, object, NOW);
        const rule = RETENTION['item-originals-tier'];
        const isTiered = (now: Date) =>
          object.key.startsWith('items/original/') &&
          object.bytes > 1024 * 1024 &&
          now.getTime() - object.writtenAt.getTime() >= rule.days * DAY;
        const isMoved = verdict?.does === 'move' && verdict.to === 'INTELLIGENT_TIERING';
        expect(verdict?.does === 'move').toBe(isMoved);
        expect(!isMoved || isTiered(NOW)).toBe(true);
        expect(verdict !== null || !isTiered(ago(1))).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test('never delete what a held file stands on, nor anything outside temp/', () => {
    fc.assert(
      fc.property(anyObject, (object) => {
        if (object.key.startsWith('temp/')) return;
        expect(whatBucketDoes(rules, object, NOW)?.does).not.toBe('delete');
      }),
      { numRuns: 2_000 },
    );
  });

  test('a hold beats every rule of the service', () => {
    fc.assert(
      fc.property(anyObject, (object) => {
        expect(retentionDue({ ...object, held: true }, NOW)).toBeNull();
      }),
    );
  });

  test('are these', () => {
    expect(rules.Rules).toEqual([
      {
        ID: 'abandoned-uploads',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
      },
      {
        ID: 'temporary-objects',
        Status: 'Enabled',
        Filter: { Prefix: 'temp/' },
        Expiration: { Days: 2 },
      },
      {
        ID: 'item-originals-tier',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'items/original/', ObjectSizeGreaterThan: 1_048_576 } },
        Transitions: [{ Days: 30, StorageClass: 'INTELLIGENT_TIERING' }],
      },
      {
        ID: 'old-versions',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Expiration: { ExpiredObjectDeleteMarker: true },
      },
    ]);
  });

  test('every kind of file has a rule for where its bytes lie', () => {
    expect(FILE_KINDS).toHaveLength(3);
    for (const key of [
      'items/original/a',
      'profiles/original/a',
      'verification/documents/a',
      'temp/uploads/a',
      'quarantine/raw/a',
    ])
      expect(RETENTION_RULES.some((rule) => rule.prefixes.some((p) => p !== '' && key.startsWith(p)))).toBe(
        true,
      );
  });
});
