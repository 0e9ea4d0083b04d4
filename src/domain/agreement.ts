import { type Fingerprint, hashBits, readingsOf } from './fingerprint.ts';
import { type Turn, TURNS, turnedHash, turnedLandmark } from './turns.ts';

/** What one picture has in common with another, laid down as it has most. */
export interface Agreement {
  /** How the first picture is laid down to lie like the second. */
  readonly turn: Turn;
  /** Landmarks that both have, laid down so. */
  readonly landmarks: number;
  /** Bits (0–256) in which the hashes differ, laid down so. */
  readonly distance: number;
}

/** What is kept of a picture: `storedTokens`, and the hash as 256 digits 0 or 1. */
export interface Stored {
  readonly tokens: readonly number[];
  readonly hash: string;
}

/** Landmarks that two pictures share at least, or else bits in which their hashes differ at most. */
export const LEAST_LANDMARKS = 2;
export const MOST_DISTANCE = 40;

/** Compares a picture with others: null when they have too little in common. */
export function agreementWith(print: Fingerprint): (stored: Stored) => Agreement | null {
  const ways = waysOf(print);
  const upright = hashBits(print.hash);
  const hashes = TURNS.map((turn) => ({ turn, hash: turnedHash(upright, turn) }));
  return (stored) => {
    const shared = TURNS.map(() => 0);
    for (const token of stored.tokens)
      for (const turn of ways.get(token) ?? []) shared[turn] = (shared[turn] ?? 0) + 1;
    const [best] = hashes
      .map(({ turn, hash }) => ({
        turn,
        landmarks: shared[turn] ?? 0,
        distance: differing(hash, stored.hash),
      }))
      .toSorted((a, b) => byLandmarks(b) - byLandmarks(a) || a.distance - b.distance);
    if (best === undefined) return null;
    return best.landmarks >= LEAST_LANDMARKS || best.distance <= MOST_DISTANCE ? best : null;
  };
}

/** A single landmark in common is chance. */
const byLandmarks = ({ landmarks }: Agreement) => (landmarks >= LEAST_LANDMARKS ? landmarks : 0);

/** By the bits of each landmark, however it is read and laid down: the turns at which it has them. */
function waysOf(print: Fingerprint): Map<number, Set<Turn>> {
  const ways = new Map<number, Set<Turn>>();
  for (const reading of print.landmarks.flatMap(readingsOf))
    for (const turn of TURNS) {
      const bits = turnedLandmark(reading, turn);
      ways.set(bits, (ways.get(bits) ?? new Set()).add(turn));
    }
  return ways;
}

function differing(one: string, other: string): number {
  let count = 0;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) count += 1;
  return count;
}
