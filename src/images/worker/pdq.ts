/** Side of the square that the picture is blurred and reduced to, and of the part of its spectrum that is kept. */
const BLOCK = 64;
const KEPT = 16;
const BLUR_PASSES = 2;

/**
 * PDQ, Meta's perceptual hash: 256 bits as 64 hex digits, each bit telling whether one low frequency of the
 * picture is stronger than the median. Same picture: at most 31 bits differ (Meta's recommended threshold).
 *
 * After "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Meta 2019: luma, two passes of
 * a box filter each way, decimation to 64×64, the 16×16 lowest frequencies of a DCT without the constant one.
 *
 * @param luma one value a pixel, rows from the top.
 */
export function pdqHash(luma: Float32Array, width: number, height: number): string {
  const blurred = blur(luma, width, height);
  const spectrum = lowFrequencies(decimate(blurred, width, height));
  const sorted = spectrum.toSorted();
  const median = sorted[sorted.length / 2 - 1] ?? 0;
  return toHex(spectrum, median);
}

/** Bits in which two hashes differ, 0 to 256. */
export function pdqDistance(a: string, b: string): number {
  let difference = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let bits = 0;
  for (; difference > 0n; difference &= difference - 1n) bits += 1;
  return bits;
}

function blur(luma: Float32Array, width: number, height: number): Float32Array {
  const across = windowFor(width);
  const down = windowFor(height);
  let [from, to] = [luma, new Float32Array(luma.length)];
  for (let pass = 0; pass < BLUR_PASSES; pass++) {
    for (let y = 0; y < height; y++) boxFilter(from, to, y * width, 1, width, across);
    const other = from === luma ? new Float32Array(luma.length) : from;
    for (let x = 0; x < width; x++) boxFilter(to, other, x, width, height, down);
    from = other;
  }
  return from;
}

/** Two passes of half a block's size reach over one block. */
function windowFor(length: number): number {
  return Math.ceil(length / (2 * BLOCK));
}

/** Mean over a window that is cut off at both ends; an even window reaches one further ahead than behind. */
function boxFilter(
  from: Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  length: number,
  window: number,
): void {
  const ahead = Math.floor((window + 2) / 2) - 1;
  const behind = window - ahead;
  let sum = 0;
  let count = 0;
  for (let index = -ahead; index < length; index++) {
    if (index + ahead < length) {
      sum += from[start + (index + ahead) * step] ?? 0;
      count += 1;
    }
    if (index - behind >= 0) {
      sum -= from[start + (index - behind) * step] ?? 0;
      count -= 1;
    }
    if (index >= 0) to[start + index * step] = sum / count;
  }
}

/** Takes the pixel at the centre of each block. */
function decimate(luma: Float32Array, width: number, height: number): Float32Array {
  const block = new Float32Array(BLOCK * BLOCK);
  for (let y = 0; y < BLOCK; y++)
    for (let x = 0; x < BLOCK; x++)
      block[y * BLOCK + x] =
        luma[Math.floor(((y + 0.5) * height) / BLOCK) * width + Math.floor(((x + 0.5) * width) / BLOCK)] ?? 0;
  return block;
}

const COSINES = Float32Array.from({ length: KEPT * BLOCK }, (_, index) => {
  const frequency = Math.floor(index / BLOCK) + 1;
  return Math.sqrt(2 / BLOCK) * Math.cos((Math.PI / (2 * BLOCK)) * frequency * (2 * (index % BLOCK) + 1));
});

/** D·A·Dᵀ, row-major. */
function lowFrequencies(block: Float32Array): Float32Array {
  const half = new Float32Array(KEPT * BLOCK);
  for (let i = 0; i < KEPT; i++)
    for (let k = 0; k < BLOCK; k++) {
      const cosine = COSINES[i * BLOCK + k] ?? 0;
      for (let j = 0; j < BLOCK; j++)
        half[i * BLOCK + j] = (half[i * BLOCK + j] ?? 0) + cosine * (block[k * BLOCK + j] ?? 0);
    }
  const result = new Float32Array(KEPT * KEPT);
  for (let i = 0; i < KEPT; i++)
    for (let j = 0; j < KEPT; j++) {
      let sum = 0;
      for (let k = 0; k < BLOCK; k++) sum += (half[i * BLOCK + k] ?? 0) * (COSINES[j * BLOCK + k] ?? 0);
      result[i * KEPT + j] = sum;
    }
  return result;
}

/** Bit `i` of the number is frequency `i`; the highest is written first. */
function toHex(spectrum: Float32Array, median: number): string {
  let digits = '';
  for (let nibble = spectrum.length / 4 - 1; nibble >= 0; nibble--) {
    let value = 0;
    for (let bit = 3; bit >= 0; bit--)
      value = value * 2 + ((spectrum[nibble * 4 + bit] ?? 0) > median ? 1 : 0);
    digits += value.toString(16);
  }
  return digits;
}
