import { describe, expect, test } from 'vitest';
import {
  askedTokens,
  type Fingerprint,
  LOOK_SIDE,
  mirroredHash,
  storedTokens,
} from '#src/domain/fingerprint.ts';

const LOOK = Buffer.from(Uint8Array.from({ length: LOOK_SIDE ** 2 }, (_, at) => at % 251)).toString('base64');
const print: Fingerprint = {
  hash: '0123456789abcdef'.repeat(4),
  landmarks: [
    [0b1011, 0b1, 0b100],
    [77, 1, 2],
  ],
  look: LOOK,
};

describe('tokens of a fingerprint', () => {
  test('are its landmarks and the bands of its hash, and never the same number for both', () => {
    const tokens = storedTokens(print);
    expect(tokens).toHaveLength(18);
    expect(tokens.filter((token) => token < 2 ** 29)).toEqual([0b1011, 77]);
    expect(Math.max(...tokens)).toBeLessThan(2 ** 31);
  });

  test('that are asked for hold the picture as it is, and with doubtful bits the other way', () => {
    const { landmarks, bands } = askedTokens(print);
    expect(landmarks).toEqual(expect.arrayContaining([0b1011, 0b1010, 0b1111, 0b1110]));
    expect(storedTokens(print).every((token) => landmarks.includes(token) || bands.includes(token))).toBe(
      true,
    );
  });

  test('of a picture that shows nothing are none: blank pictures are not copies of each other', () => {
    const blank = { ...print, look: Buffer.alloc(LOOK_SIDE ** 2, 200).toString('base64') };
    expect(storedTokens(blank)).toEqual([]);
    expect(askedTokens(blank)).toEqual({ landmarks: [], bands: [] });
  });

  test('leave out bands without a difference in them', () => {
    expect(storedTokens({ ...print, landmarks: [], hash: `ffff0000${'5'.repeat(56)}` })).toHaveLength(14);
  });

  test('of the mirror image: mirrored twice is the same hash', () => {
    expect(mirroredHash(print.hash)).not.toBe(print.hash);
    expect(mirroredHash(mirroredHash(print.hash))).toBe(print.hash);
  });
});
