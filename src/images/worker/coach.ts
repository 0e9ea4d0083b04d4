import type { CoachMeasures } from '../../domain/photo-coach.ts';
import type { Picture } from './picture.ts';
import type { Raster } from './sharp.ts';

/** Measures a photo for its seller, from the 800 px rendition, which the set needs anyway. */
export async function coach(picture: Picture): Promise<CoachMeasures> {
  return measure(await picture.level('medium'));
}

/** Side of the blocks in which edges are looked at. */
const BLOCK = 32;
/**
 * Mean square of a gradient from which on a block has edges: below lie noise, gentle shades and the seams of JPEG's own
 * blocks. A photo that has none is asked once more for weaker ones.
 */
const EDGES = [30, 12];
/** The narrowest edges of a photo are those of this share of the blocks with edges. */
const SHARPEST = 0.1;

export function measure(raster: Raster): CoachMeasures {
  const luma = lumaOf(raster);
  const { width, height } = raster;
  const blocks = blocksOf(luma, width, height);
  const { brightness, highlights } = lightOf(luma);
  return {
    edgeWidth: edgeWidthOf(blocks),
    brightness,
    highlights,
    flatness: flatnessOf(raster),
    ruledLines: ruledLinesOf(luma, width, height),
    centred: centredOf(blocks),
  };
}

/** Rec. 601, whole numbers, on white where it is transparent. */
function lumaOf({ data, width, height, channels }: Raster): Uint8Array {
  const luma = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < luma.length; at++, from += channels) {
    const value = (77 * (data[from] ?? 0) + 150 * (data[from + 1] ?? 0) + 29 * (data[from + 2] ?? 0)) >> 8;
    luma[at] = channels === 3 ? value : 255 + (((value - 255) * (data[from + 3] ?? 0)) >> 8);
  }
  return luma;
}

interface Block {
  readonly across: Squares;
  readonly down: Squares;
  /** Middle of the block, 0–1. */
  readonly x: number;
  readonly y: number;
}

function blocksOf(luma: Uint8Array, width: number, height: number): Block[] {
  const blocks: Block[] = [];
  for (let top = 1; top + BLOCK < height; top += BLOCK)
    for (let left = 1; left + BLOCK < width; left += BLOCK) {
      const x = (left + BLOCK / 2) / width;
      const y = (top + BLOCK / 2) / height;
      blocks.push({ ...squaresOf(luma, width, top * width + left), x, y });
    }
  return blocks;
}

/** Mean squares of the first derivative (central differences) and of the second. */
interface Squares {
  readonly gradient: number;
  readonly curve: number;
}

/** Every second row is enough: each looks at both of its neighbours. */
function squaresOf(luma: Uint8Array, width: number, from: number): { across: Squares; down: Squares } {
  let acrossGradient = 0;
  let acrossCurve = 0;
  let downGradient = 0;
  let downCurve = 0;
  for (let y = 0, row = from; y < BLOCK; y += 2, row += 2 * width)
    for (let at = row; at < row + BLOCK; at++) {
      const west = luma[at - 1] ?? 0;
      const east = luma[at + 1] ?? 0;
      const north = luma[at - width] ?? 0;
      const south = luma[at + width] ?? 0;
      const twice = 2 * (luma[at] ?? 0);
      const curveAcross = twice - west - east;
      const curveDown = twice - north - south;
      acrossGradient += (east - west) * (east - west);
      acrossCurve += curveAcross * curveAcross;
      downGradient += (south - north) * (south - north);
      downCurve += curveDown * curveDown;
    }
  const pixels = (BLOCK * BLOCK) / 2;
  return {
    across: { gradient: acrossGradient / pixels, curve: acrossCurve / pixels },
    down: { gradient: downGradient / pixels, curve: downCurve / pixels },
  };
}

/** In the direction in which it is worse: a hand that moved smears one of them only. */
function edgeWidthOf(blocks: readonly Block[]): number | null {
  for (const limit of EDGES) {
    const widths = [blocks.map(({ across }) => across), blocks.map(({ down }) => down)].flatMap(
      (squares) => widthOf(squares.filter(({ gradient }) => gradient > limit)) ?? [],
    );
    if (widths.length > 0) return Math.max(...widths);
  }
  return null;
}

/**
 * The second derivative of an edge under a Gaussian blur of σ has a mean square of 1/(8σ²) of that of the first one,
 * whatever the contrast. The sharpest blocks count: a background may be out of focus.
 */
function widthOf(squares: readonly Squares[]): number | null {
  const ratios = squares.map(({ gradient, curve }) => curve / gradient).toSorted((a, b) => b - a);
  const ratio = ratios[Math.floor(ratios.length * SHARPEST)];
  return ratio === undefined || ratio === 0 ? null : Math.sqrt(1 / (8 * ratio));
}

function lightOf(luma: Uint8Array): { brightness: number; highlights: number } {
  const counts = new Uint32Array(256);
  for (let at = 0; at < luma.length; at++) {
    const value = luma[at] ?? 0;
    counts[value] = (counts[value] ?? 0) + 1;
  }
  const brightness = counts.reduce((sum, count, value) => sum + count * value, 0) / luma.length;
  let highlights = 255;
  let above = counts[highlights] ?? 0;
  while (highlights > 0 && above <= luma.length / 20) {
    highlights -= 1;
    above += counts[highlights] ?? 0;
  }
  return { brightness, highlights };
}

function flatnessOf({ data, width, height, channels }: Raster): number {
  const stride = width * channels;
  let flat = 0;
  let looked = 0;
  for (let y = 0; y + 1 < height; y += 2)
    for (let x = 0, at = y * stride; x + 1 < width; x++, at += channels) {
      const isFlat =
        data[at] === data[at + channels] &&
        data[at] === data[at + stride] &&
        data[at + 1] === data[at + channels + 1] &&
        data[at + 1] === data[at + stride + 1] &&
        data[at + 2] === data[at + channels + 2] &&
        data[at + 2] === data[at + stride + 2];
      looked += 1;
      if (isFlat) flat += 1;
    }
  return flat / Math.max(1, looked);
}

/** Smallest step of a ruled line, and how much it may change from one pixel to the next. */
const STEP = 6;
const WOBBLE = 1;
const LINE_SHARE = 0.2;

function ruledLinesOf(luma: Uint8Array, width: number, height: number): number {
  let lines = 0;
  for (let y = 0; y + 1 < height; y++)
    if (longestRun(luma, y * width, 1, width, width) > width * LINE_SHARE) lines += 1;
  for (let x = 0; x + 1 < width; x++)
    if (longestRun(luma, x, width, 1, height) > height * LINE_SHARE) lines += 1;
  return lines;
}

/** Along a line of pixels, the longest run with one and the same step to the line beside it. */
function longestRun(luma: Uint8Array, from: number, along: number, beside: number, count: number): number {
  let longest = 0;
  let run = 0;
  let before = 0;
  for (let index = 0, at = from; index < count; index++, at += along) {
    const step = (luma[at + beside] ?? 0) - (luma[at] ?? 0);
    const isRuled = (step >= STEP || step <= -STEP) && step - before <= WOBBLE && before - step <= WOBBLE;
    run = isRuled ? run + 1 : 0;
    before = step;
    if (run > longest) longest = run;
  }
  return longest;
}

function centredOf(blocks: readonly Block[]): number {
  const isInside = ({ x, y }: Block) => Math.abs(x - 0.5) <= 0.25 && Math.abs(y - 0.5) <= 0.25;
  const sum = (some: readonly Block[]) =>
    some.reduce((total, { across, down }) => total + Math.sqrt(across.gradient + down.gradient), 0);
  const inside = blocks.filter(isInside);
  const all = sum(blocks);
  if (inside.length === 0 || all === 0) return 1;
  return sum(inside) / all / (inside.length / blocks.length);
}
