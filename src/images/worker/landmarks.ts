import { LANDMARK_FREQUENCIES } from '../../domain/landmark-frequencies.ts';

/** A grey picture: one value a pixel, 0 to 255, rows from the top. */
export interface Grey {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * One place in a picture that is found again when it is scaled, cropped, framed or mirrored: the signs of 29 frequencies of
 * the patch around a blob.
 */
export interface Landmark {
  readonly bits: number;
  /** The three bits that are the least certain, as a mask each. */
  readonly doubtful: readonly [number, number, number];
}

interface Blob {
  readonly x: number;
  readonly y: number;
  /** Standard deviation, in pixels of its octave. */
  readonly sigma: number;
  readonly octave: number;
  readonly strength: number;
}

/** Three octaves, each at half the size of the one before, of sizes that grow by √2. */
const OCTAVES = 3;
const SIGMAS = Array.from({ length: 5 }, (_, index) => 1.8 * Math.SQRT2 ** index);
/** What a picture is taken to be blurred by already. */
const GIVEN_SIGMA = 0.5;
/** A patch reaches so many standard deviations from its centre. */
const REACH = 4;
const PATCH = 14;
/** Weaker blobs are noise; in levels of grey. */
const MIN_CONTRAST = 0.8;

/** The strongest blobs of a picture, strongest first, at most `most`. */
export function landmarksOf(picture: Grey, most: number): Landmark[] {
  const octaves = pyramid(picture);
  return octaves
    .flatMap((scales, octave) => blobs(scales, octave))
    .toSorted((a, b) => b.strength - a.strength)
    .slice(0, most)
    .map((blob) => describe(blob, octaves[blob.octave] ?? []));
}

function pyramid(picture: Grey): Grey[][] {
  const octaves: Grey[][] = [];
  let from = blur(picture, Math.sqrt((SIGMAS[0] ?? 0) ** 2 - GIVEN_SIGMA ** 2));
  for (let octave = 0; octave < OCTAVES; octave++) {
    const scales = [from];
    for (let level = 1; level < SIGMAS.length; level++)
      scales.push(
        blur(scales[level - 1] ?? from, Math.sqrt((SIGMAS[level] ?? 0) ** 2 - (SIGMAS[level - 1] ?? 0) ** 2)),
      );
    octaves.push(scales);
    from = halve(scales[2] ?? from);
  }
  return octaves;
}

function halve({ data, width, height }: Grey): Grey {
  const [halfWidth, halfHeight] = [Math.floor(width / 2), Math.floor(height / 2)];
  const half = new Float32Array(halfWidth * halfHeight);
  for (let y = 0; y < halfHeight; y++)
    for (let x = 0; x < halfWidth; x++) half[y * halfWidth + x] = data[2 * y * width + 2 * x] ?? 0;
  return { data: half, width: halfWidth, height: halfHeight };
}

/** Extremes among their 26 neighbours in place and size. Those whose patch reaches far beyond the edge are left out. */
function blobs(scales: readonly Grey[], octave: number): Blob[] {
  const { width = 0, height = 0 } = scales[0] ?? {};
  const differences = scales
    .slice(1)
    .map(({ data }, index) => data.map((value, at) => value - (scales[index]?.data[at] ?? 0)));
  const found: Blob[] = [];
  for (let level = 1; level < differences.length - 1; level++) {
    const [below, here, above] = [differences[level - 1], differences[level], differences[level + 1]];
    if (below === undefined || here === undefined || above === undefined) continue;
    const margin = Math.ceil((SIGMAS[level] ?? 0) * REACH * 0.8);
    for (let y = margin; y < height - margin; y++)
      for (let x = margin; x < width - margin; x++) {
        const at = y * width + x;
        const value = here[at] ?? 0;
        if (Math.abs(value) < MIN_CONTRAST || !isExtreme([here, below, above], width, at)) continue;
        const grown = Math.SQRT2 ** peak(below[at] ?? 0, value, above[at] ?? 0);
        found.push({
          x: x + peak(here[at - 1] ?? 0, value, here[at + 1] ?? 0),
          y: y + peak(here[at - width] ?? 0, value, here[at + width] ?? 0),
          sigma: (SIGMAS[level] ?? 0) * grown,
          octave,
          strength: Math.abs(value),
        });
      }
  }
  return found;
}

function isExtreme(around: readonly Float32Array[], width: number, at: number): boolean {
  const value = around[0]?.[at] ?? 0;
  const sign = Math.sign(value);
  for (const data of around)
    for (let row = at - width; row <= at + width; row += width)
      for (let near = row - 1; near <= row + 1; near++)
        if ((data[near] ?? 0) * sign > value * sign) return false;
  return true;
}

/** Where the top of the parabola through three values is, −0.5 to 0.5 from the middle one. */
function peak(before: number, here: number, after: number): number {
  const curve = before + after - 2 * here;
  return curve === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / (2 * curve)));
}

const COSINES = Array.from({ length: 6 }, (_, frequency) => cosines(frequency));

function cosines(frequency: number): Float32Array {
  return Float32Array.from({ length: PATCH }, (_, at) =>
    Math.cos((Math.PI * frequency * (at + 0.5)) / PATCH),
  );
}

function describe(blob: Blob, scales: readonly Grey[]): Landmark {
  const spectrum = spectrumOf(patchOf(blob, scales));
  const [first = 0, second = 0, third = 0] = spectrum
    .map((value, bit) => ({ bit, size: Math.abs(value) }))
    .toSorted((a, b) => a.size - b.size)
    .map(({ bit }) => bit);
  return {
    bits: spectrum.reduce((bits, value, bit) => (value > 0 ? bits | (1 << bit) : bits), 0),
    doubtful: [1 << first, 1 << second, 1 << third],
  };
}

/** Read from the scale that is blurred as much as a sample of the patch is wide. */
function patchOf({ x, y, sigma }: Blob, scales: readonly Grey[]): Float32Array {
  const step = (2 * REACH * sigma) / PATCH;
  const source =
    scales[
      Math.max(
        0,
        SIGMAS.findLastIndex((size) => size <= step * 1.2),
      )
    ];
  const patch = new Float32Array(PATCH * PATCH);
  if (source === undefined) return patch;
  for (let at = 0; at < patch.length; at++) {
    const [column, row] = [at % PATCH, Math.floor(at / PATCH)];
    patch[at] = sample(source, x + (column + 0.5 - PATCH / 2) * step, y + (row + 0.5 - PATCH / 2) * step);
  }
  return patch;
}

function spectrumOf(patch: Float32Array): number[] {
  return LANDMARK_FREQUENCIES.map(({ across, down }) => {
    let sum = 0;
    for (let row = 0; row < PATCH; row++)
      for (let column = 0; column < PATCH; column++)
        sum +=
          (patch[row * PATCH + column] ?? 0) * (COSINES[across]?.[column] ?? 0) * (COSINES[down]?.[row] ?? 0);
    return sum;
  });
}

/** Between four pixels; beyond the edge lies the edge. */
function sample({ data, width, height }: Grey, x: number, y: number): number {
  const inX = Math.max(0, Math.min(width - 1.001, x));
  const inY = Math.max(0, Math.min(height - 1.001, y));
  const at = Math.floor(inY) * width + Math.floor(inX);
  const [across, down] = [inX % 1, inY % 1];
  const upper = (data[at] ?? 0) * (1 - across) + (data[at + 1] ?? 0) * across;
  const lower = (data[at + width] ?? 0) * (1 - across) + (data[at + width + 1] ?? 0) * across;
  return upper * (1 - down) + lower * down;
}

/** Gaussian, each way by itself; beyond the edge lies the edge. */
function blur({ data, width, height }: Grey, sigma: number): Grey {
  const reach = Math.ceil(sigma * 2.5);
  const weights = Float32Array.from({ length: 2 * reach + 1 }, (_, at) =>
    Math.exp(-((at - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const kernel = weights.map((weight) => weight / total);
  const half = convolveRows(data, width, height, kernel);
  const whole = convolveRows(half, height, width, kernel);
  return { data: whole, width, height };
}

/** Rows of the result are columns of the source: twice is both ways, upright again. */
function convolveRows(data: Float32Array, width: number, height: number, kernel: Float32Array): Float32Array {
  const reach = (kernel.length - 1) / 2;
  const padded = new Float32Array(width + 2 * reach);
  const result = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    padded.fill(data[start] ?? 0, 0, reach);
    padded.set(data.subarray(start, start + width), reach);
    padded.fill(data[start + width - 1] ?? 0, reach + width);
    for (let x = 0; x < width; x++) {
      const centre = x + reach;
      let sum = (kernel[reach] ?? 0) * (padded[centre] ?? 0);
      // Both sides at once: the kernel is symmetric, and this loop is most of a fingerprint's cost.
      for (let at = 1; at <= reach; at++)
        sum += (kernel[reach + at] ?? 0) * ((padded[centre - at] ?? 0) + (padded[centre + at] ?? 0));
      result[x * height + y] = sum;
    }
  }
  return result;
}
