import sharp, { type Sharp } from 'sharp';
import { thumbHashToRGBA } from 'thumbhash';
import { afterAll, describe, expect, it } from 'vitest';
import { agreementWith, MOST_DISTANCE } from '#src/domain/agreement.ts';
import { type Fingerprint, hashBits, storedTokens } from '#src/domain/fingerprint.ts';
import { likenessOf } from '#src/domain/likeness.ts';
import { type Turn, turnedLook, wordsOf } from '#src/domain/turns.ts';
import { pdqDistance } from '#src/images/worker/pdq.ts';
import { photoBytes, testEngine, withImage } from './support.ts';

const engine = testEngine();
afterAll(() => engine.close());
const analyse = (bytes: Uint8Array) => withImage(engine, bytes, (image) => image.analyse());

const lookOf = ({ look }: Fingerprint) => Buffer.from(look, 'base64');

function cosine(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => {
    const bytes = Buffer.from(text, 'base64');
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
  });
  const dot = (x: readonly number[] = [], y: readonly number[] = []) =>
    x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

describe('the analysis', () => {
  it('names what is in a photo', async () => {
    const pen = await analyse(await photoBytes('xiaomi-pen.heic'));
    expect(pen.labels[0]).toMatchObject({ label: 'ballpoint pen' });
    expect(pen.labels).toHaveLength(10);
    expect(pen.gun).toBeLessThan(0.01);
  });

  it('gives probabilities that add up to one, and finds nothing indecent in a lake', async () => {
    const { nsfw } = await analyse(await photoBytes('lake.jpg'));
    expect(Object.values(nsfw).reduce((sum, value) => sum + value)).toBeCloseTo(1, 3);
    expect(nsfw.porn + nsfw.hentai + nsfw.sexy).toBeLessThan(0.1);
  });

  it('gives a placeholder in the colours of the photo', async () => {
    const { placeholder } = await analyse(
      await sharp({ create: { width: 300, height: 200, channels: 3, background: '#204080' } })
        .png()
        .toBuffer(),
    );
    const { rgba, w, h } = thumbHashToRGBA(Buffer.from(placeholder, 'base64'));
    expect(w).toBeGreaterThan(h);
    expect([rgba[0], rgba[1], rgba[2]].map((value) => Math.round((value ?? 0) / 16))).toEqual([2, 4, 8]);
  });

  it('knows the same photo again, smaller and stronger compressed, from another one', async () => {
    const photo = await photoBytes('stream.jpg');
    const copy = await sharp(photo).autoOrient().resize(640).jpeg({ quality: 40 }).toBuffer();
    const [original, again, other] = [
      await analyse(photo),
      await analyse(copy),
      await analyse(await photoBytes('mountains.jpg')),
    ];
    expect(pdqDistance(original.fingerprint.hash, again.fingerprint.hash)).toBeLessThanOrEqual(31);
    expect(pdqDistance(original.fingerprint.hash, other.fingerprint.hash)).toBeGreaterThan(80);
    expect(Buffer.from(original.embedding, 'base64')).toHaveLength(1280 * 4);
    expect(cosine(original.embedding, again.embedding)).toBeGreaterThan(0.92);
    expect(cosine(original.embedding, other.embedding)).toBeLessThan(0.87);
  });

  it('says which models it was, by their content', async () => {
    const { models } = await analyse(await photoBytes('lake.jpg'));
    expect(Object.values(models)).toEqual([
      expect.stringMatching(/^[0-9a-f]{12}$/),
      expect.stringMatching(/^[0-9a-f]{12}$/),
    ]);
  });
});

describe('the fingerprint', () => {
  it.each([
    ['mirrored', (photo: Sharp) => photo.flop(), { isMirrored: true, rotatedBy: 0 }],
    ['rotated by 90°', (photo: Sharp) => photo.rotate(90), { isMirrored: false, rotatedBy: 270 }],
    ['rotated by 180°', (photo: Sharp) => photo.rotate(180), { isMirrored: false, rotatedBy: 180 }],
    ['rotated by 270°', (photo: Sharp) => photo.rotate(270), { isMirrored: false, rotatedBy: 90 }],
    ['turned over', (photo: Sharp) => photo.rotate(180).flop(), { isMirrored: true, rotatedBy: 180 }],
  ] as const)('of a photo that is %s agrees with the photo, laid back', async (_, alter, words) => {
    const photo = await photoBytes('stream.jpg');
    const upright = sharp(await sharp(photo).autoOrient().resize(900).toBuffer());
    const [one, other] = [
      (await analyse(photo)).fingerprint,
      (await analyse(await alter(upright).jpeg({ quality: 60 }).toBuffer())).fingerprint,
    ];
    const agreement = agreementWith(other)({ tokens: storedTokens(one), hash: hashBits(one.hash) });
    expect(agreement?.landmarks).toBeGreaterThanOrEqual(8);
    expect(agreement?.distance).toBeLessThanOrEqual(MOST_DISTANCE);
    expect(wordsOf(agreement?.turn ?? 0)).toEqual(words);
    const likeness = (turn: Turn) => likenessOf(lookOf(one), turnedLook(lookOf(other), turn));
    expect(likeness(agreement?.turn ?? 0)).toBeGreaterThan(0.95);
    expect(likeness(0)).toBeLessThan(0.75);
  });

  it('of another photo does not agree with it', async () => {
    const one = (await analyse(await photoBytes('stream.jpg'))).fingerprint;
    const unlike = (await analyse(await photoBytes('mountains.jpg'))).fingerprint;
    expect(agreementWith(unlike)({ tokens: storedTokens(one), hash: hashBits(one.hash) })).toBeNull();
  });

  it('is the same with a frame around the photo', async () => {
    const photo = await sharp(await photoBytes('stream.jpg'))
      .autoOrient()
      .resize(900)
      .toBuffer();
    const framed = await sharp(photo)
      .extend({ top: 60, bottom: 60, left: 60, right: 60, background: '#ffffff' })
      .jpeg({ quality: 80 })
      .toBuffer();
    const [one, other] = [(await analyse(photo)).fingerprint, (await analyse(framed)).fingerprint];
    expect(pdqDistance(one.hash, other.hash)).toBeLessThanOrEqual(31);
  });
});
