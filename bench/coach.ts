import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { coverScore, hintsFor, type PhotoHint, suggestCover } from '#src/domain/photo-coach.ts';
import { fitInside, MAX_EDGE } from '#src/domain/renditions.ts';
import { coach } from '#src/images/worker/coach.ts';
import { pictureOf } from '#src/images/worker/picture.ts';
import { toRaster } from '#src/images/worker/sharp.ts';
import { DEGRADED } from './support/degraded.ts';
import { screenshots } from './support/screens.ts';
import { tiltOf } from './support/tilt.ts';

/**
 * How often the photo coach sees what it should, and what it should not: on the photos of the tests and those in the
 * files and folders named, as they are and made worse in known ways, and on screens that a
 * browser draws. Run: `node bench/coach.ts [file or folder …]`; one line a figure.
 */
const FIXTURES = fileURLToPath(new URL('../test/fixtures/photos', import.meta.url));
/** Smaller ones are sprites and icons. */
const SMALLEST = 1000;
const TOO_LARGE = 60e6;
const CODES: readonly PhotoHint[] = ['BLURRY', 'DARK', 'TINY', 'SCREENSHOT'];

sharp.concurrency(1);
const photos = await load([FIXTURES, ...process.argv.slice(2)]);
line(`photos ${photos.length}`);
const untouched = await Promise.all(photos.map(async ({ bytes }) => look(bytes)));
for (const { name, expects, make } of DEGRADED) {
  const seen = await Promise.all(photos.map(async ({ bytes }) => look(await make(bytes))));
  report(
    name,
    expects,
    seen.map(({ hints }) => hints),
  );
  if (expects !== null) line(`${name}: ${reportCover(untouched, seen)}`);
}
const [first] = photos;
const screens = first === undefined ? [] : await screenshots(first.bytes);
const png = await Promise.all(screens.map(({ bytes }) => hintsOf(bytes)));
report('screens as PNG', 'SCREENSHOT', png);
for (const [at, { name }] of screens.entries())
  if (png[at]?.includes('SCREENSHOT') === false) line(`missed: ${name}`);
const resaved = screens.map(async ({ bytes }) =>
  hintsOf(await sharp(bytes).jpeg({ quality: 80 }).toBuffer()),
);
report('screens as JPEG of quality 80', 'SCREENSHOT', await Promise.all(resaved));
for (const [at, { file }] of photos.entries()) {
  const codes = untouched[at]?.hints ?? [];
  if (codes.length > 0) line(`untouched, and hinted at: ${path.basename(file)} ${codes.join(' ')}`);
}
await reportTilt();

async function load(places: readonly string[]): Promise<{ file: string; bytes: Buffer }[]> {
  const loaded: { file: string; bytes: Buffer }[] = [];
  for (const file of (await Promise.all(places.map(filesAt))).flat()) {
    if (!/\.(jpe?g|webp)$/i.test(file)) continue;
    const { width, height } = await sharp(file).metadata();
    if (Math.max(width, height) < SMALLEST || width * height > TOO_LARGE) continue;
    const upright = sharp(file).autoOrient().resize(1200, 1200, { fit: 'inside' }).removeAlpha();
    loaded.push({ file, bytes: await upright.png().toBuffer() });
  }
  return loaded;
}

async function filesAt(place: string): Promise<string[]> {
  if ((await stat(place)).isFile()) return [place];
  return (await readdir(place, { recursive: true })).map((name) => path.join(place, name));
}

async function look(bytes: Buffer): Promise<{ hints: PhotoHint[]; score: number }> {
  const full = await toRaster(sharp(bytes));
  const measures = await coach(pictureOf(full));
  const facts = { width: full.width, height: full.height, hasCamera: false };
  return { hints: hintsFor(measures, facts), score: coverScore(measures, facts) };
}

async function hintsOf(bytes: Buffer): Promise<PhotoHint[]> {
  return (await look(bytes)).hints;
}

/** A listing of two: the worse photo is the cover, the untouched one should be suggested; and the other way about. */
function reportCover(good: readonly { score: number }[], worse: readonly { score: number }[]): string {
  const pairs = good.map((better, at) => ({ better, bad: worse[at] ?? better }));
  const taken = pairs.filter(({ better, bad }) => suggestCover([bad, better]) === better).length;
  const wrong = pairs.filter(({ better, bad }) => suggestCover([better, bad]) === bad).length;
  return `cover: better one suggested ${taken}/${pairs.length}, worse one ${wrong}`;
}

function report(name: string, expects: PhotoHint | null, seen: readonly (readonly PhotoHint[])[]): void {
  const share = (code: PhotoHint) => {
    const count = seen.filter((codes) => codes.includes(code)).length;
    return `${code}=${count}/${seen.length} (${((100 * count) / Math.max(1, seen.length)).toFixed(0)} %)`;
  };
  line(`${name}: ${expects === null ? 'expects none' : `expects ${expects}`}; ${CODES.map(share).join(' ')}`);
}

/** Photos turned by a known angle, and cropped so that no corner shows it. */
async function reportTilt(): Promise<void> {
  for (const turned of [0, 3, 6]) {
    const found = await Promise.all(photos.map(async ({ bytes }) => tiltOfTurned(bytes, turned)));
    const known = found.filter((angle) => angle !== null);
    const tilted = known.filter((angle) => Math.abs(angle) >= 2);
    const right = known.filter((angle) => Math.abs(Math.abs(angle) - turned) <= 1);
    line(
      `tilt, turned by ${turned}°: of ${found.length} an angle for ${known.length}, right within 1° ${right.length}, called tilted ${tilted.length}`,
    );
  }
}

async function tiltOfTurned(bytes: Buffer, angle: number): Promise<number | null> {
  const turned = sharp(await sharp(bytes).rotate(angle).png().toBuffer());
  const { width, height } = await sharp(bytes).metadata();
  const size = fitInside(Math.round(width * 0.8), Math.round(height * 0.8), MAX_EDGE.medium);
  const canvas = await turned.metadata();
  const [w, h] = [Math.round(width * 0.8), Math.round(height * 0.8)];
  const box = { left: (canvas.width - w) >> 1, top: (canvas.height - h) >> 1, width: w, height: h };
  const cut = await turned.extract(box).toBuffer();
  const { data, info } = await sharp(cut)
    .resize(size.width, size.height)
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return tiltOf(new Uint8Array(data.buffer, data.byteOffset, data.length), info.width, info.height);
}

function line(text: string): void {
  process.stdout.write(`coach ${text}\n`);
}
