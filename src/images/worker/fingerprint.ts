import { type Fingerprint, LOOK_SIDE, MOST_LANDMARKS } from '../../domain/fingerprint.ts';
import { type Grey, landmarksOf } from './landmarks.ts';
import { pdqHash } from './pdq.ts';
import { fromRaster, type Raster, toRaster } from './sharp.ts';

/** Longest edge of the picture that landmarks are looked for in. */
const EDGE = 192;
/** A frame is trimmed up to this fraction of a side. */
const MOST_TRIMMED = 0.2;
/** Levels of grey in which pixels of a frame differ at most. */
const FRAME_NOISE = 10;

/** Takes the fingerprint of an RGB picture of about 800 px. */
export async function fingerprintOf(raster: Raster): Promise<Fingerprint> {
  const { small, grey } = await withoutFrame(raster);
  const look = await greyOf(await resized(small, { width: LOOK_SIDE, height: LOOK_SIDE, fit: 'fill' }));
  return {
    hash: pdqHash(grey.data, grey.width, grey.height),
    landmarks: landmarksOf(grey, MOST_LANDMARKS).map(({ bits, doubtful }) => [bits, ...doubtful] as const),
    look: Buffer.from(look.data).toString('base64'),
  };
}

interface Reduced {
  readonly small: Raster;
  readonly grey: Grey;
}

/** Rows and columns of one shade around a picture say nothing of it, and there is the same picture without them. */
async function withoutFrame(raster: Raster): Promise<Reduced> {
  const whole = await reduced(raster);
  const { grey } = whole;
  const box = contentOf(grey);
  if (box.width === grey.width && box.height === grey.height) return whole;
  const [across, down] = [raster.width / grey.width, raster.height / grey.height];
  const inside = fromRaster(raster).extract({
    left: Math.floor(box.left * across),
    top: Math.floor(box.top * down),
    width: Math.max(1, Math.floor(box.width * across)),
    height: Math.max(1, Math.floor(box.height * down)),
  });
  return reduced(await toRaster(inside));
}

/** Made small before it is made grey: the other way round takes four times as long. */
async function reduced(raster: Raster): Promise<Reduced> {
  const small = await resized(raster, { width: EDGE, height: EDGE, fit: 'inside' });
  return { small, grey: await greyOf(small) };
}

function resized(
  raster: Raster,
  size: { width: number; height: number; fit: 'inside' | 'fill' },
): Promise<Raster> {
  return toRaster(fromRaster(raster).resize(size));
}

async function greyOf(raster: Raster): Promise<Grey> {
  const { data, info } = await fromRaster(raster)
    .greyscale()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data: Float32Array.from(data), width: info.width, height: info.height };
}

function contentOf(grey: Grey): { left: number; top: number; width: number; height: number } {
  const row = (y: number) => ({ start: y * grey.width, step: 1, length: grey.width });
  const column = (x: number) => ({ start: x, step: grey.width, length: grey.height });
  const top = frameDepth(grey, grey.height, row);
  const bottom = frameDepth(grey, grey.height, (y) => row(grey.height - 1 - y));
  const left = frameDepth(grey, grey.width, column);
  const right = frameDepth(grey, grey.width, (x) => column(grey.width - 1 - x));
  return { left, top, width: grey.width - left - right, height: grey.height - top - bottom };
}

interface Line {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** How many lines from one edge on have the shade of the outermost. The last of them is blurred into the picture. */
function frameDepth({ data }: Grey, lines: number, lineAt: (index: number) => Line): number {
  const shade = data[lineAt(0).start] ?? 0;
  const most = Math.floor(lines * MOST_TRIMMED);
  let depth = 0;
  while (depth < most && isOf(data, lineAt(depth), shade)) depth += 1;
  return depth === 0 ? 0 : depth + 1;
}

function isOf(data: Float32Array, { start, step, length }: Line, shade: number): boolean {
  for (let at = 0; at < length; at++)
    if (Math.abs((data[start + at * step] ?? 0) - shade) > FRAME_NOISE) return false;
  return true;
}
