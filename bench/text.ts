import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { TEXT_READING } from '#src/config/text-reading.ts';
import { createTextReader } from '#src/images/text-reader.ts';
import { contactFindings } from '#src/services/moderation/contact-findings.ts';
import { photoPath } from '#test/support/photos.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { photoWith, printedCode, type Writing, writing } from '#test/support/texted-photo.ts';
import { cpuMs, processTree, pssMb } from './support/processes.ts';

/**
 * How many telephone numbers, addresses and codes on real photos are found, by size and angle, and what is found where
 * there is none. Everything is drawn here, on photos of 1200 px as they are read. Run: `node bench/text.ts [samples]
 * [folder of ordinary photos]`; one line a figure. Sizes are those of the font, in pixels of 1200.
 */
const samples = Number(process.argv[2] ?? 12);
const folder = process.argv[3] ?? path.dirname(photoPath('lake.jpg'));
const edge = Number(process.env['TEXT_EDGE'] ?? TEXT_READING.textEdge.defaultText);

const PHOTOS = [
  'autumn-hill.jpg',
  'dandelion.jpg',
  'dogs.jpg',
  'mountains.jpg',
  'nuthatch.jpg',
  'stream.jpg',
];
const FONTS = [
  'DejaVu Sans',
  'DejaVu Serif',
  'DejaVu Sans Mono',
  'DejaVu Sans Condensed',
  'DejaVu Sans Bold',
];
const TEXTS = [
  ['phone', 'Call 07700 900123'],
  ['phone', '+44 7700 900 456'],
  ['phone', 'Tel. 0171/123 45 67'],
  ['email', 'jane.doe@example.com'],
  ['email', 'sales@my-shop.co.uk'],
  ['url', 'www.my-shop.co.uk'],
  ['url', 'https://t.me/jane_doe'],
] as const;

const reader = createTextReader({
  idleMs: 600_000,
  timeoutMs: 120_000,
  memoryLimitMb: 2048,
  textEdge: edge,
  log: silentLog,
});
const times: { ms: number; cpu: number }[] = [];

await reader.read(await photoWith('lake.jpg', [])); // warms: the process and its models
for (const size of [14, 18, 24, 32, 48]) await textLine(`size=${size} on paper`, { size });
for (const size of [24, 32, 48])
  await textLine(`size=${size} white on the photo`, { size, paper: null, colour: '#ffffff' });
for (const angle of [3, 6, 10, 20, 90])
  await textLine(`size=32 on paper angle=${angle}`, { size: 32, angle });
for (const width of [60, 90, 120, 200]) await codeLine(`qr width=${width}`, 'qr', width, 0);
for (const angle of [20, 45]) await codeLine(`qr width=200 angle=${angle}`, 'qr', 200, angle);
for (const width of [150, 250, 400]) await codeLine(`barcode width=${width}`, 'barcode', width, 0);
await ordinary();
await cost();
await reader.close();

async function textLine(name: string, look: Writing): Promise<void> {
  let found = 0;
  for (let at = 0; at < samples; at++) {
    const [kind, text] = pick(TEXTS, at);
    const image = await writing(text, { ...look, font: pick(FONTS, at) });
    if (await isFound(kind, at, image)) found += 1;
  }
  line(`text ${name} found=${found}/${samples}`);
}

async function codeLine(name: string, label: 'qr' | 'barcode', width: number, angle: number): Promise<void> {
  let found = 0;
  for (let at = 0; at < samples; at++) {
    const code =
      label === 'qr'
        ? await printedCode(`https://wa.me/44770090${1000 + at}`, width)
        : await printedCode('5012345678900', width, 'EAN13');
    const turned = await sharp(code).rotate(angle, { background: '#00000000' }).png().toBuffer();
    if (await isFound(label, at, turned)) found += 1;
  }
  line(`${name} found=${found}/${samples}`);
}

async function isFound(label: string, at: number, image: Buffer): Promise<boolean> {
  const photo = pick(PHOTOS, at);
  const fitting = await sharp(image)
    .resize({ width: 640, height: 640, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();
  const left = 10 + ((at * 37) % 100);
  const top = 10 + ((at * 53) % 20);
  const found = await readMeasured(await photoWith(photo, [{ left, top, image: fitting }]));
  return found.some((finding) => finding.label === label);
}

async function readMeasured(bytes: Uint8Array) {
  const pids = await processTree(process.pid);
  const children = pids.filter((pid) => pid !== process.pid);
  const [cpu, started] = [await cpuMs(children), performance.now()];
  const text = await reader.read(bytes);
  times.push({ ms: performance.now() - started, cpu: (await cpuMs(children)) - cpu });
  return contactFindings(text);
}

/** What is found in photos that show no way to reach anybody. */
async function ordinary(): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).toSorted();
  times.length = 0;
  let photos = 0;
  let withText = 0;
  for (const name of names) {
    const bytes = await shown(path.join(folder, name));
    if (bytes === null) continue;
    photos += 1;
    const found = await readMeasured(bytes);
    if (found.length === 0) continue;
    withText += 1;
    line(
      `ordinary ${name} ${found.map(({ label, confidence }) => `${label}:${confidence?.toFixed(2)}`).join(' ')}`,
    );
  }
  line(`ordinary photos=${photos} with_findings=${withText}`);
}

async function shown(file: string): Promise<Buffer | null> {
  const size = { fit: 'inside', withoutEnlargement: true } as const;
  return sharp(await readFile(file))
    .rotate()
    .resize(1200, 1200, size)
    .jpeg({ quality: 85 })
    .toBuffer()
    .catch(() => null);
}

async function cost(): Promise<void> {
  const children = (await processTree(process.pid)).filter((pid) => pid !== process.pid);
  line(
    `edge=${edge} ordinary photo ms ${spread(times.map(({ ms }) => ms))} cpu_ms ${spread(times.map(({ cpu }) => cpu))}`,
  );
  line(`process pss_mb=${(await pssMb(children)).toFixed(0)}`);
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0);
  return `min=${at(0)} med=${at(0.5)} max=${at(1)}`;
}

function pick<T>(values: readonly T[], at: number): T {
  const value = values[at % values.length];
  if (value === undefined) throw new Error('Expected something to choose from');
  return value;
}

function line(text: string): void {
  console.log(text);
}
