import { describe, expect, test } from 'vitest';
import { LOOK_SIDE } from '#src/domain/fingerprint.ts';
import { likenessOf } from '#src/domain/likeness.ts';
import { turnedLook } from '#src/domain/turns.ts';

/** A picture without symmetry, drawn at any place and size. */
function drawn(
  part: { left: number; top: number; width: number; height: number },
  isMirrored = false,
): Uint8Array {
  return Uint8Array.from({ length: LOOK_SIDE ** 2 }, (_, at) => {
    const x = ((at % LOOK_SIDE) + 0.5) / LOOK_SIDE;
    const y = (Math.floor(at / LOOK_SIDE) + 0.5) / LOOK_SIDE;
    const u = part.left + (isMirrored ? 1 - x : x) * part.width;
    const v = part.top + y * part.height;
    return (
      128 +
      50 * Math.sin(17 * u + 9 * v * v) +
      50 * Math.sin(5 + 13 * v - 7 * u * v) +
      20 * Math.sin(40 * u * u)
    );
  });
}

const WHOLE = { left: 0, top: 0, width: 1, height: 1 };
const picture = drawn(WHOLE);

describe('the likeness of two pictures', () => {
  test('is 1 of equal ones', () => {
    expect(likenessOf(picture, picture)).toBeCloseTo(1, 5);
  });

  test('is high where one is a part of the other, whichever it is', () => {
    const part = drawn({ left: 0.08, top: 0.03, width: 0.86, height: 0.9 });
    expect(likenessOf(picture, part)).toBeGreaterThan(0.9);
    expect(likenessOf(part, picture)).toBeGreaterThan(0.9);
  });

  test('is high of the mirror image once that is laid back', () => {
    const mirrored = drawn({ ...WHOLE, left: 0.05, width: 0.95 }, true);
    expect(likenessOf(picture, turnedLook(mirrored, 1))).toBeGreaterThan(0.9);
    expect(likenessOf(picture, mirrored)).toBeLessThan(0.5);
  });

  test('is not moved by light', () => {
    expect(
      likenessOf(
        picture,
        picture.map((value) => 40 + value / 2),
      ),
    ).toBeGreaterThan(0.95);
  });

  test('is low of others, and none of a picture that shows nothing', () => {
    expect(likenessOf(picture, drawn({ left: 3, top: 2, width: 1, height: 1 }))).toBeLessThan(0.5);
    expect(likenessOf(picture, new Uint8Array(LOOK_SIDE ** 2).fill(200))).toBe(0);
  });
});
