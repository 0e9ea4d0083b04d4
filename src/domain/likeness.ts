import { LOOK_SIDE } from './fingerprint.ts';

/** One picture laid over another: where its edges lie in it, in fractions of its sides. */
interface Placement {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const COARSE_SIDE = 16;
/** How far an edge of one picture may lie within or beyond the other's, in fractions of a side. */
const MARGINS = [-0.12, -0.06, 0, 0.06, 0.12];
const STEPS = [0.03, 0.015, 0.0075];
/** How many coarse placements are followed up. */
const FOLLOWED = 2;
/** Two looks that correlate so well as they are need no search. */
const PLAIN = 0.95;

/**
 * Lays one picture over the other, each edge up to an eighth within or beyond the other's, and tells how alike they are where
 * they fit best: −1 to 1, the correlation of their edges and shades; equal pictures have 1. Both are grey, `LOOK_SIDE` square,
 * one byte a pixel, laid down alike (`turnedLook`). Takes a few milliseconds.
 */
export function likenessOf(a: Uint8Array, b: Uint8Array): number {
  const [fixed, laid] = [levelsOf(a), levelsOf(b)];
  const plain = correlation(fixed.fine, laid.fine, LOOK_SIDE, WHOLE);
  if (plain >= PLAIN) return plain;
  const followed = PLACEMENTS.map((placement) => ({
    placement,
    similarity: correlation(fixed.coarse, laid.coarse, COARSE_SIDE, placement),
  }))
    .toSorted((one, other) => other.similarity - one.similarity)
    .slice(0, FOLLOWED);
  return Math.max(...followed.map(({ placement }) => refine(fixed.fine, laid.fine, placement)));
}

const WHOLE: Placement = { left: 0, right: 1, top: 0, bottom: 1 };

const PLACEMENTS: readonly Placement[] = MARGINS.flatMap((left) =>
  MARGINS.flatMap((right) =>
    MARGINS.flatMap((top) => MARGINS.map((bottom) => ({ left, right: 1 + right, top, bottom: 1 + bottom }))),
  ),
);

interface Levels {
  readonly coarse: Float32Array;
  readonly fine: Float32Array;
}

function levelsOf(look: Uint8Array): Levels {
  const fine = evened(Float32Array.from(look), LOOK_SIDE);
  return { coarse: evened(reduce(look), COARSE_SIDE), fine };
}

function reduce(look: Uint8Array): Float32Array {
  const factor = LOOK_SIDE / COARSE_SIDE;
  const small = new Float32Array(COARSE_SIDE * COARSE_SIDE);
  for (let at = 0; at < look.length; at++) {
    const [x, y] = [at % LOOK_SIDE, Math.floor(at / LOOK_SIDE)];
    const to = Math.floor(y / factor) * COARSE_SIDE + Math.floor(x / factor);
    small[to] = (small[to] ?? 0) + (look[at] ?? 0) / (factor * factor);
  }
  return small;
}

/** Contrast, in levels of grey, below which a place counts for little: noise. */
const NOISE = 5;

/**
 * Each pixel by how it differs from its surroundings, in units of how they differ among themselves: faint texture counts as
 * much as a strong outline, since many things have the same outline before a white background.
 */
function evened(grey: Float32Array, side: number): Float32Array {
  const reach = Math.round(side / 8);
  return grey.map((value, at) => {
    const [x, y] = [at % side, Math.floor(at / side)];
    let [count, sum, squares] = [0, 0, 0];
    for (let row = Math.max(0, y - reach); row <= Math.min(side - 1, y + reach); row++)
      for (let column = Math.max(0, x - reach); column <= Math.min(side - 1, x + reach); column++) {
        const near = grey[row * side + column] ?? 0;
        count += 1;
        sum += near;
        squares += near * near;
      }
    const mean = sum / count;
    return (value - mean) / (Math.sqrt(Math.max(0, squares / count - mean * mean)) + NOISE);
  });
}

/** Moves one edge after another as long as it gets better. */
function refine(a: Float32Array, b: Float32Array, from: Placement): number {
  let best = { ...from };
  let similarity = correlation(a, b, LOOK_SIDE, best);
  for (const step of STEPS)
    for (let moved = true; moved; ) {
      moved = false;
      for (const edge of ['left', 'right', 'top', 'bottom'] as const)
        for (const way of [step, -step]) {
          const next = { ...best, [edge]: best[edge] + way };
          if (Math.abs(next[edge] - Math.round(next[edge])) > 0.16) continue;
          const found = correlation(a, b, LOOK_SIDE, next);
          if (found <= similarity) continue;
          [best, similarity, moved] = [next, found, true];
        }
    }
  return similarity;
}

/** Of `a` and of `b` read at the places of `a`'s pixels, where both have any. */
function correlation(a: Float32Array, b: Float32Array, side: number, placement: Placement): number {
  const { left, right, top, bottom } = placement;
  let [count, sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0, 0];
  for (let y = 0; y < side; y++) {
    const v = (top + ((y + 0.5) / side) * (bottom - top)) * side - 0.5;
    if (v < 0 || v > side - 1) continue;
    const row = Math.min(side - 2, Math.floor(v));
    const down = v - row;
    for (let x = 0; x < side; x++) {
      const u = (left + ((x + 0.5) / side) * (right - left)) * side - 0.5;
      if (u < 0 || u > side - 1) continue;
      const column = Math.min(side - 2, Math.floor(u));
      const across = u - column;
      const at = row * side + column;
      const upper = (b[at] ?? 0) * (1 - across) + (b[at + 1] ?? 0) * across;
      const lower = (b[at + side] ?? 0) * (1 - across) + (b[at + side + 1] ?? 0) * across;
      const there = upper * (1 - down) + lower * down;
      const here = a[y * side + x] ?? 0;
      count += 1;
      sumA += here;
      sumB += there;
      sumAA += here * here;
      sumBB += there * there;
      sumAB += here * there;
    }
  }
  const spread = Math.sqrt((sumAA - sumA ** 2 / count) * (sumBB - sumB ** 2 / count));
  return spread > 0 ? (sumAB - (sumA * sumB) / count) / spread : 0;
}
