import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Agreement, agreementWith } from '#src/domain/agreement.ts';
import {
  askedTokens,
  FIRST_BAND,
  type Fingerprint,
  hashBits,
  storedTokens,
} from '#src/domain/fingerprint.ts';
import { likenessOf } from '#src/domain/likeness.ts';
import { CERTAINLY_SAME, SAME_PICTURE } from '#src/domain/photo-match.ts';
import { landmarkClass, type Turn, turnedHash, TURNS, turnedLook } from '#src/domain/turns.ts';
import { fingerprintOf } from '#src/images/worker/fingerprint.ts';
import { ALTERATIONS, type Alteration, altered } from '#test/support/altered-photos.ts';
import { print } from './support/client.ts';

/**
 * How many altered photos are found, and how many others are taken for them. All photos of the folder are in the index; every
 * `step`th is altered in each way and looked for. The index is held in memory here and asked by the same tokens and bounds as
 * `findLookalikes` asks the database. Run: `bench/support/photo-set.sh DIR`, then
 * `node bench/fingerprint-recall.ts DIR/photos [step]`
 */
const folder = process.argv[2] ?? 'test/fixtures/photos';
const step = Number(process.argv[3] ?? 1);
/** As in src/db/lookalikes.ts. */
const MOST_LOOKALIKES = 20;
/** PDQ's own bound for the same picture. */
const PDQ_SAME = 31;
const LEAST_EDGE = 130;
/** Two photos of the set that differ less on average, in levels of grey at 16 × 16, are one: the same wallpaper in two sizes. */
const TWIN = 4;

sharp.concurrency(1);
const photos = await listPhotos();
const index = new Map<number, number[]>();
for (const [at, { fingerprint }] of photos.entries())
  for (const token of new Set(storedTokens(fingerprint).map(indexed)))
    index.set(token, [...(index.get(token) ?? []), at]);
const asked = photos.map((_, at) => at).filter((at) => at % step === 0);
print('set', { photos: photos.length, altered: asked.length });

let [named, wrong, certainlyWrong, pairs] = [0, 0, 0, 0];
const worst: string[] = [];
for (const alteration of Object.keys(ALTERATIONS).filter((name): name is Alteration => name in ALTERATIONS))
  await measure(alteration);
print('pairs of different photos', { pairs, named, taken_for_the_same: wrong, certainly: certainlyWrong });
print('per million pairs', {
  taken_for_the_same: (wrong / pairs) * 1e6,
  certainly: (certainlyWrong / pairs) * 1e6,
});
for (const line of worst) process.stdout.write(`${line}\n`);

async function measure(alteration: Alteration): Promise<void> {
  let [byIndex, byHash, same, certain] = [0, 0, 0, 0];
  for (const at of asked) {
    const { bytes, fingerprint: own } = photos[at] ?? {};
    if (bytes === undefined || own === undefined) continue;
    const fingerprint = await printOf(await altered(bytes, alteration, 1600));
    if (hashDistance(fingerprint, own) <= PDQ_SAME) byHash += 1;
    pairs += photos.length - 1;
    for (const { at: other, turn } of lookalikes(fingerprint)) {
      const similarity = similarityOf(fingerprint, other, turn);
      if (other !== at) {
        named += 1;
        if (similarity >= SAME_PICTURE) {
          wrong += 1;
          worst.push(
            `taken for the same: ${photos[at]?.path} (${alteration}) ${photos[other]?.path} ${similarity.toFixed(2)}`,
          );
        }
        if (similarity >= CERTAINLY_SAME) certainlyWrong += 1;
        continue;
      }
      byIndex += 1;
      if (similarity >= SAME_PICTURE) same += 1;
      if (similarity >= CERTAINLY_SAME) certain += 1;
    }
  }
  const share = (count: number) => count / asked.length;
  const figures = {
    index: share(byIndex),
    same: share(same),
    certainly: share(certain),
    pdq_alone: share(byHash),
  };
  print(alteration, figures);
}

function lookalikes(fingerprint: Fingerprint): (Agreement & { at: number })[] {
  const shared = new Map<number, number>();
  for (const token of askedTokens(fingerprint))
    for (const at of index.get(token) ?? []) shared.set(at, (shared.get(at) ?? 0) + 1);
  const compare = agreementWith(fingerprint);
  return [...shared]
    .filter(([, count]) => count > 1)
    .flatMap(([at]) => {
      const other = photos[at]?.fingerprint;
      if (other === undefined) return [];
      const agreement = compare({ tokens: storedTokens(other), hash: hashBits(other.hash) });
      return agreement === null ? [] : [{ at, ...agreement }];
    })
    .toSorted((a, b) => b.landmarks - a.landmarks || a.distance - b.distance)
    .slice(0, MOST_LOOKALIKES);
}

/** A token as the index has it. */
function indexed(token: number): number {
  return token < FIRST_BAND ? landmarkClass(token) : token;
}

/** Of the hash alone, on whichever side the picture lies. */
function hashDistance(a: Fingerprint, b: Fingerprint): number {
  const [one, other] = [hashBits(a.hash), hashBits(b.hash)];
  return Math.min(...TURNS.map((turn) => differing(turnedHash(one, turn), other)));
}

function differing(one: string, other: string): number {
  return Array.from(one).filter((bit, at) => bit !== other[at]).length;
}

function similarityOf(fingerprint: Fingerprint, at: number, turn: Turn): number {
  const look = (of: Fingerprint | undefined) => Buffer.from(of?.look ?? '', 'base64');
  return likenessOf(look(photos[at]?.fingerprint), turnedLook(look(fingerprint), turn));
}

async function listPhotos() {
  const found: { path: string; bytes: Buffer; fingerprint: Fingerprint; tiny: Buffer }[] = [];
  const names = (await readdir(folder, { recursive: true })).filter((name) =>
    /\.(jpe?g|png|webp)$/i.test(name),
  );
  for (const name of names.toSorted()) {
    // Drawings, letters and flags are no photos; mirrored and night copies of others are the same one.
    if (/cartoon|symbols|flags|roadsigns|screenshot|images_dark|_mirror|-d\.webp/.test(name)) continue;
    const bytes = await readFile(join(folder, name));
    const { width, height } = await sharp(bytes).metadata();
    if (Math.min(width, height) < LEAST_EDGE) continue;
    const whole = await altered(bytes, 'not at all', 1200);
    if ((await sharp(whole).stats()).entropy < 3) continue;
    const tiny = await sharp(whole).resize(16, 16, { fit: 'fill' }).greyscale().raw().toBuffer();
    if (found.some((other) => differenceOf(other.tiny, tiny) < TWIN)) continue;
    found.push({ path: name, bytes: whole, fingerprint: await printOf(whole), tiny });
  }
  return found;
}

function differenceOf(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;
}

/** From 800 px, as the service does it. */
async function printOf(bytes: Buffer): Promise<Fingerprint> {
  const { data, info } = await sharp(bytes)
    .resize(800, 800, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return fingerprintOf({ data, width: info.width, height: info.height, channels: 3 });
}
