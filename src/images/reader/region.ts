import type { Read } from './protocol.ts';

type Region = Read['codes'][number]['region'];

/** The upright rectangle around some points of a picture, in fractions of its size. */
export function regionOf(
  points: readonly { readonly x: number; readonly y: number }[],
  width: number,
  height: number,
): Region {
  const xs = points.map(({ x }) => within(x / width));
  const ys = points.map(({ y }) => within(y / height));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

function within(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}
