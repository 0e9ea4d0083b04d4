/**
 * A candidate that was not taken: how far the strongest edges stand off from upright and level, in degrees, by the peak
 * of a histogram of gradient directions within 12° of both axes. Null where no direction stands out.
 */
export function tiltOf(luma: Uint8Array, width: number, height: number): number | null {
  const bins = new Float64Array(2 * RANGE * STEPS + 1);
  for (let y = 2; y + 2 < height; y++)
    for (let x = 2; x + 2 < width; x++) {
      const at = y * width + x;
      const across = sobel(luma, at, 1, width);
      const down = sobel(luma, at, width, 1);
      const strength = across * across + down * down;
      if (strength < STRONG) continue;
      const angle = (Math.atan2(down, across) * 180) / Math.PI;
      const off = angle - 90 * Math.round(angle / 90);
      if (Math.abs(off) <= RANGE) add(bins, Math.round((off + RANGE) * STEPS), Math.sqrt(strength));
    }
  return peakOf(bins);
}

function add(bins: Float64Array, bin: number, weight: number): void {
  bins[bin] = (bins[bin] ?? 0) + weight;
}

const RANGE = 12;
const STEPS = 2;
const STRONG = 200 * 200;
/** How much the peak must stand out from the mean of all directions. */
const PROMINENCE = 2.5;

function peakOf(bins: Float64Array): number | null {
  const smooth = bins.map((value, at) => (bins[at - 1] ?? value) + 2 * value + (bins[at + 1] ?? value));
  const mean = smooth.reduce((sum, value) => sum + value, 0) / smooth.length;
  const best = smooth.indexOf(Math.max(...smooth));
  return mean > 0 && (smooth[best] ?? 0) > PROMINENCE * mean ? best / STEPS - RANGE : null;
}

function sobel(luma: Uint8Array, at: number, along: number, beside: number): number {
  const side = (from: number) =>
    (luma[from - beside] ?? 0) + 2 * (luma[from] ?? 0) + (luma[from + beside] ?? 0);
  return side(at + along) - side(at - along);
}
