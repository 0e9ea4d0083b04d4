import { readdir, readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { createBasicScanner } from '#src/adapters/scanner/basic.ts';
import { DEFAULT_ENCODER, MAX_EDGE, planVariants } from '#src/domain/renditions.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { benchEngine } from './support/engine.ts';

/**
 * The seven objects of a 12-megapixel, 4.8 MB JPEG: our engine against sharp used by hand, in rounds that take turns;
 * and what is looked at before a photo is public: the virus scan (`basic`), both models and the fingerprint.
 * CPU is the whole of it: for the engine its child process and what this process spends on transport, verification
 * and hashing; for sharp this process. Run: `node bench/images.ts [rounds]`; one line a figure.
 */
const rounds = Number(process.argv[2] ?? 5);
const JPEG = { quality: DEFAULT_ENCODER.jpegQuality, progressive: true };
const WEBP = { quality: DEFAULT_ENCODER.webpQuality, effort: DEFAULT_ENCODER.webpEffort };
const EDGES = [MAX_EDGE.large, MAX_EDGE.medium, MAX_EDGE.thumbnail];

sharp.concurrency(1);
sharp.cache(false);
const photo = await largePhoto();
const engine = benchEngine();
const scanner = createBasicScanner();

interface Cost {
  ms: number;
  cpu: number;
}
const costs: Record<'set' | 'scan' | 'analyse' | 'checks' | 'coach' | 'single' | 'each', Cost[]> = {
  set: [],
  scan: [],
  analyse: [],
  checks: [],
  coach: [],
  single: [],
  each: [],
};

await engineTurn(); // warms: the process, its models, and sharp here
await sharpSingle();
for (const values of Object.values(costs)) values.length = 0;
for (let round = 0; round < rounds; round++) {
  await engineTurn();
  costs.single.push(await measure(sharpSingle));
  costs.each.push(await measure(sharpEach));
}
const peak = await childPeakMb();
await engine.close();
report();

async function engineTurn(): Promise<void> {
  const scanned = await measure(() => scanner.scan(photo));
  const opened = await measure(() => engine.open(photo, { kind: 'item_photo' }));
  const image = opened.value;
  const encoded = await measure(async () => {
    for (const variant of planVariants('item_photo', false, DEFAULT_ENCODER)) await image.encode(variant);
  });
  // Last, so that the sizes it looks at, which the set needs anyway, are counted once and there.
  const analysed = await measure(() => image.analyse());
  const coached = await measure(() => image.coach());
  const closed = await measure(() => image.close());
  costs.set.push({
    ms: opened.ms + encoded.ms + closed.ms,
    cpu: opened.cpu + encoded.cpu + closed.cpu,
  });
  costs.scan.push(scanned);
  costs.analyse.push(analysed);
  costs.checks.push({ ms: scanned.ms + analysed.ms, cpu: scanned.cpu + analysed.cpu });
  costs.coach.push(coached);
}

/** One decode to pixels, the original encoded from them, 1,200 → 800 → 300 in a cascade. */
async function sharpSingle(): Promise<void> {
  let pixels = await sharp(photo)
    .autoOrient()
    .resize(MAX_EDGE.original, MAX_EDGE.original, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const from = () => sharp(pixels.data, { raw: pixels.info });
  await from().jpeg(JPEG).toBuffer();
  for (const edge of EDGES) {
    pixels = await from().resize(edge, edge, { fit: 'inside' }).raw().toBuffer({ resolveWithObject: true });
    await from().jpeg(JPEG).toBuffer();
    await from().webp(WEBP).toBuffer();
  }
}

/** A pipeline of its own for every output. */
async function sharpEach(): Promise<void> {
  const at = (edge: number) =>
    sharp(photo).autoOrient().resize(edge, edge, { fit: 'inside', withoutEnlargement: true });
  await at(MAX_EDGE.original).jpeg(JPEG).toBuffer();
  for (const edge of EDGES) {
    await at(edge).jpeg(JPEG).toBuffer();
    await at(edge).webp(WEBP).toBuffer();
  }
}

async function measure<T>(work: () => Promise<T>): Promise<Cost & { value: T }> {
  const [cpu, started] = [await cpuMs(), performance.now()];
  const value = await work();
  return { value, ms: performance.now() - started, cpu: (await cpuMs()) - cpu };
}

/** Of this process and its children, to the nanosecond where the kernel counts so. */
async function cpuMs(): Promise<number> {
  const own = process.cpuUsage();
  const children = await Promise.all((await childPids()).map(threadsCpuMs));
  return (own.user + own.system) / 1000 + children.reduce((sum, value) => sum + value, 0);
}

async function threadsCpuMs(pid: string): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const times = threads.map(async (thread) =>
    Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')).split(' ')[0]),
  );
  return (await Promise.all(times)).reduce((sum, value) => sum + value, 0) / 1e6;
}

async function childPids(): Promise<string[]> {
  const text = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter((pid) => pid !== '');
}

async function childPeakMb(): Promise<number> {
  const [pid = ''] = await childPids();
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

function report(): void {
  for (const [name, values] of Object.entries(costs))
    line(
      `${name} cpu_ms ${spread(values.map((value) => value.cpu))} ms ${spread(values.map((value) => value.ms))}`,
    );
  ratio('set/sharp-single cpu (bound 1.10)', costs.set, costs.single);
  ratio('set/sharp-each cpu', costs.set, costs.each);
  ratio('scan+analyse/set cpu (bound 0.15)', costs.checks, costs.set);
  ratio('coach/set cpu (the pass itself: 30 ms at most)', costs.coach, costs.set);
  line(`process peak_rss_mb=${peak.toFixed(0)}`);
}

function ratio(name: string, a: readonly Cost[], b: readonly Cost[]): void {
  const values = a.map((cost, round) => cost.cpu / (b[round]?.cpu ?? Number.NaN));
  line(`ratio ${name} ${spread(values, 2)}`);
}

function spread(values: readonly number[], digits = 0): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(digits);
  return `min=${at(0)} med=${at(0.5)} max=${at(1)}`;
}

function line(text: string): void {
  process.stdout.write(`images ${text}\n`);
}
