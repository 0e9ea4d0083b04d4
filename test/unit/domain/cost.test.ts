import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  billedBytes,
  costOfMove,
  isWorthMoving,
  keepingUsd,
  monthlyUsd,
  smallestWorthMoving,
} from '#src/domain/cost.ts';
import { US_EAST_1 } from '#src/domain/prices.ts';
import { RETENTION_RULES } from '#src/domain/retention.ts';
import { STORAGE_CLASSES } from '#src/domain/storage-class.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** Twelve months of the price list. */
const YEAR = 365;

describe('keeping', () => {
  test('a GiB in STANDARD for a year costs twelve times its monthly price', () => {
    expect(keepingUsd('STANDARD', GIB, YEAR)).toBeCloseTo(12 * 0.023, 10);
  });

  test('a thumbnail of 20 KiB in STANDARD_IA or GLACIER_IR is charged as 128 KiB', () => {
    expect(billedBytes('STANDARD_IA', 20 * KIB)).toEqual({ inClass: 128 * KIB, inStandard: 0, watched: 0 });
    expect(billedBytes('GLACIER_IR', 20 * KIB)).toEqual({ inClass: 128 * KIB, inStandard: 0, watched: 0 });
    expect(billedBytes('STANDARD', 20 * KIB)).toEqual({ inClass: 20 * KIB, inStandard: 0, watched: 0 });
  });

  test('an archived object has 32 KiB of index in its class and 8 KiB of name in STANDARD', () => {
    for (const storageClass of ['GLACIER', 'DEEP_ARCHIVE'] as const)
      expect(billedBytes(storageClass, MIB)).toEqual({
        inClass: MIB + 32 * KIB,
        inStandard: 8 * KIB,
        watched: 0,
      });
    // 1,024 objects of 1 MiB: 1 GiB and 32 MiB at 0.0036, 8 MiB at 0.023.
    const all = { inClass: 1024 * (MIB + 32 * KIB), inStandard: 1024 * 8 * KIB, watched: 0 };
    expect(monthlyUsd('GLACIER', all)).toBeCloseTo(0.0036 * (1 + 32 / 1024) + 0.023 * (8 / 1024), 12);
  });

  test('what S3 tiers by use is watched for 0.0025 dollars a thousand, and costs less once nobody reads it', () => {
    const billed = billedBytes('INTELLIGENT_TIERING', GIB);
    expect(billed).toEqual({ inClass: GIB, inStandard: 0, watched: 1 });
    expect(monthlyUsd('INTELLIGENT_TIERING', billed)).toBeCloseTo(0.023 + 0.0000025, 12);
    expect(keepingUsd('INTELLIGENT_TIERING', GIB, YEAR)).toBeCloseTo(12 * (0.004 + 0.0000025), 10);
  });
});

describe('moving', () => {
  const archived = { from: 'STANDARD', to: 'GLACIER', daysInClass: YEAR, daysLeft: 2 * YEAR } as const;

  test('an original of 3 MiB into the archive for two years costs 0.00029 instead of 0.00162 dollars', () => {
    const { staying, moving, saved } = costOfMove({ ...archived, bytes: 3 * MIB });
    // 24 months × 3 MiB × 0.023.
    expect(staying).toBeCloseTo(0.0016171875, 10);
    // One transition at 0.03 a thousand + 24 × (3 MiB + 32 KiB) × 0.0036 + 24 × 8 KiB × 0.023.
    expect(moving).toBeCloseTo(0.00003 + 0.00025576171875 + 0.0000042114257813, 10);
    expect(saved).toBeCloseTo(staying - moving, 12);
    expect(isWorthMoving({ ...archived, bytes: 3 * MIB })).toBe(true);
  });

  test('an original of 3 MiB that S3 has tiered down already saves 0.00005 dollars more in two years', () => {
    const { staying, saved } = costOfMove({ ...archived, from: 'INTELLIGENT_TIERING', bytes: 3 * MIB });
    // 24 × (3 MiB × 0.004 + 0.0000025), against the 0.00029 of the archive.
    expect(staying).toBeCloseTo(0.00028125 + 0.00006, 10);
    expect(saved).toBeCloseTo(0.00034125 - 0.0002899731445313, 10);
  });

  test('small objects stay: below 84,978 bytes the transition and the index cost more than two years save', () => {
    // 0.00003 + 24 × (0.0036 × 32 KiB + 0.023 × 8 KiB) ÷ (24 × (0.023 − 0.0036)), in bytes.
    const overhead = (24 * (0.0036 * 32 * KIB + 0.023 * 8 * KIB)) / GIB + 0.00003;
    const breakEven = Math.ceil((overhead * GIB) / (24 * (0.023 - 0.0036)));
    expect(breakEven).toBe(84_978);
    expect(smallestWorthMoving(archived)).toBe(breakEven);
    expect(isWorthMoving({ ...archived, bytes: breakEven - 1 })).toBe(false);
  });

  test('a thumbnail never goes to infrequent access, since 128 KiB are charged there', () => {
    const move = { from: 'STANDARD', to: 'STANDARD_IA', daysInClass: YEAR, daysLeft: 10 * YEAR } as const;
    expect(isWorthMoving({ ...move, bytes: 20 * KIB })).toBe(false);
    expect(isWorthMoving({ ...move, bytes: MIB })).toBe(true);
  });

  test('what leaves the archive before its 90 days pays for the rest of them', () => {
    const move = { from: 'GLACIER', to: 'STANDARD', bytes: GIB, daysLeft: 0 } as const;
    const late = costOfMove({ ...move, daysInClass: 90 }).moving;
    const early = costOfMove({ ...move, daysInClass: 30 }).moving;
    // 60 days of (1 GiB + 32 KiB) × 0.0036 + 8 KiB × 0.023 a month.
    const rest = ((0.0036 * (GIB + 32 * KIB) + 0.023 * 8 * KIB) / GIB) * (60 / (365 / 12));
    expect(early - late).toBeCloseTo(rest, 10);
  });

  test('a bucket with versions keeps what was replaced for a month more, at the old price', () => {
    const move = { ...archived, bytes: 3 * MIB };
    const more = costOfMove({ ...move, oldVersionDays: 30 }).moving - costOfMove(move).moving;
    expect(more).toBeCloseTo(((0.023 * 3) / 1024) * (30 / (365 / 12)), 12);
    // What leaves infrequent access on its first day stays for these thirty anyway: not twice.
    const early = { bytes: GIB, from: 'STANDARD_IA', to: 'GLACIER', daysInClass: 0, daysLeft: 900 } as const;
    expect(costOfMove({ ...early, oldVersionDays: 30 })).toEqual(costOfMove(early));
  });

  test('reading it out of infrequent access is charged, and a short stay pays for the minimum of the new class', () => {
    const move = { bytes: GIB, from: 'STANDARD_IA', to: 'GLACIER', daysInClass: 30, daysLeft: 10 } as const;
    const ninety = keepingUsd('GLACIER', GIB, 90);
    expect(costOfMove(move).moving).toBeCloseTo(0.00003 + 0.01 + ninety, 10);
    expect(isWorthMoving(move)).toBe(false);
  });

  test('a longer stay never makes a move worse that pays already', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STORAGE_CLASSES),
        fc.constantFrom(...STORAGE_CLASSES),
        fc.nat(50 * MIB),
        fc.nat(400),
        fc.nat(4_000),
        fc.nat(4_000),
        (from, to, bytes, daysInClass, daysLeft, more) => {
          const move = { from, to, bytes, daysInClass, daysLeft };
          const later = { ...move, daysLeft: daysLeft + more };
          expect(!isWorthMoving(move) || isWorthMoving(later)).toBe(true);
        },
      ),
    );
  });

  test('what costs nothing to decide is never planned: a class into itself', () => {
    for (const each of STORAGE_CLASSES)
      expect(isWorthMoving({ from: each, to: each, bytes: GIB, daysInClass: 900, daysLeft: 900 })).toBe(
        false,
      );
  });
});

test('every move of the table of retention can pay: a usual photo of 3 MB, a document of 1 MB', () => {
  const moves = RETENTION_RULES.flatMap(({ action }) => (action.kind === 'move' ? [action] : []));
  expect(moves).toHaveLength(3);
  for (const { to, daysLeft } of moves)
    expect(smallestWorthMoving({ from: 'STANDARD', to, daysInClass: 365, daysLeft })).toBeLessThan(500 * KIB);
});

test('the price list says where and when it was read', () => {
  expect(US_EAST_1).toMatchObject({ region: 'us-east-1', source: 'https://aws.amazon.com/s3/pricing/' });
  expect(Number.isNaN(Date.parse(US_EAST_1.asOf))).toBe(false);
  expect(Object.keys(US_EAST_1.classes)).toEqual([...STORAGE_CLASSES]);
});
