import { describe, expect, test } from 'vitest';
import { agreementWith } from '#src/domain/agreement.ts';
import {
  askedTokens,
  type Fingerprint,
  hashBits,
  LOOK_SIDE,
  readingsOf,
  storedTokens,
} from '#src/domain/fingerprint.ts';
import {
  inverseOf,
  landmarkClass,
  turnedHash,
  turnedLandmark,
  turnedLook,
  TURNS,
} from '#src/domain/turns.ts';

const LOOK = Buffer.from(Uint8Array.from({ length: LOOK_SIDE ** 2 }, (_, at) => at % 251)).toString('base64');
const print: Fingerprint = {
  hash: '0123456789abcdef'.repeat(4),
  landmarks: [
    [0b1011, 0b1, 0b100, 0b1000],
    [77, 1, 2, 4],
  ],
  look: LOOK,
};
const LANDMARKS = Array.from({ length: 200 }, (_, at) => (at * 0x9e3779b1) % 2 ** 29);

describe('tokens of a fingerprint', () => {
  test('are its landmarks and the bands of its hash, and never the same number for both', () => {
    const tokens = storedTokens(print);
    expect(tokens).toHaveLength(18);
    expect(tokens.filter((token) => token < 2 ** 29)).toEqual([0b1011, 77]);
    expect(Math.max(...tokens)).toBeLessThan(2 ** 31);
  });

  test('that are asked for hold what the index has of the picture, also with doubtful bits the other way', () => {
    const asked = askedTokens(print);
    const indexed = storedTokens(print).map((token) => (token < 2 ** 29 ? landmarkClass(token) : token));
    expect(asked).toEqual(expect.arrayContaining(indexed));
    expect(new Set(readingsOf(print.landmarks[0] ?? [0, 0, 0, 0]))).toEqual(
      new Set([0b1011, 0b1010, 0b1111, 0b1110, 0b0011, 0b0010, 0b0111, 0b0110]),
    );
    for (const reading of print.landmarks.flatMap(readingsOf))
      expect(asked).toContain(landmarkClass(reading));
  });

  test('of a picture that shows nothing are none: blank pictures are not copies of each other', () => {
    const blank = { ...print, look: Buffer.alloc(LOOK_SIDE ** 2, 200).toString('base64') };
    expect(storedTokens(blank)).toEqual([]);
    expect(askedTokens(blank)).toEqual([]);
  });

  test('leave out bands without a difference in them', () => {
    expect(storedTokens({ ...print, landmarks: [], hash: `ffff0000${'5'.repeat(56)}` })).toHaveLength(14);
  });
});

describe('a picture laid on another side', () => {
  test('has landmarks of the same class, and no two turns give the same ones', () => {
    for (const bits of LANDMARKS)
      expect(new Set(TURNS.map((turn) => landmarkClass(turnedLandmark(bits, turn))))).toEqual(
        new Set([landmarkClass(bits)]),
      );
    expect(new Set(TURNS.map((turn) => turnedLandmark(0b1011, turn))).size).toBe(8);
  });

  test('comes back by the turn that undoes it, its look, landmarks and hash alike', () => {
    const look = Buffer.from(LOOK, 'base64');
    const hash = hashBits(print.hash);
    for (const turn of TURNS) {
      const undo = inverseOf(turn);
      expect(Buffer.from(turnedLook(turnedLook(look, turn), undo))).toEqual(look);
      expect(turnedHash(turnedHash(hash, turn), undo)).toBe(hash);
      for (const bits of LANDMARKS) expect(turnedLandmark(turnedLandmark(bits, turn), undo)).toBe(bits);
    }
  });

  test('agrees with it at that turn, and landmarks that agree at different turns are chance', () => {
    const stored = { tokens: storedTokens(print), hash: '01'.repeat(128) };
    const laid = (turns: readonly [0 | 5, 0 | 5]): Fingerprint => ({
      ...print,
      landmarks: print.landmarks.map(([bits, ...doubtful], at) => [
        turnedLandmark(bits, turns[at] ?? 0),
        ...doubtful,
      ]),
    });
    expect(agreementWith(laid([0, 0]))(stored)).toMatchObject({ turn: 0, landmarks: 2 });
    expect(agreementWith(laid([5, 5]))(stored)).toMatchObject({ turn: 6, landmarks: 2 });
    expect(agreementWith(laid([0, 5]))(stored)).toBeNull();
  });
});
